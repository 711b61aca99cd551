package verify

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

func FuzzParseForwarded(f *testing.F) {
	for _, name := range []string{"webhook-2026-leaf.pem", "webhook-2026-fullchain.pem"} {
		data, err := os.ReadFile(filepath.Join("testdata", "certs", name))
		if err != nil {
			f.Fatal(err)
		}
		escaped := url.PathEscape(string(data))
		f.Add(escaped)
		f.Add(`Hash=ab;Subject="CN=a\",b;c";Cert="` + escaped + `"`)
		f.Add(`Hash=ab,By=a;Chain="` + escaped + `";URI=`)
	}
	f.Add(`"`)
	f.Add(`"\`)
	f.Add(`,;=`)
	f.Fuzz(func(t *testing.T, value string) {
		chain, err := parseForwarded(value)
		if (err == nil) != (len(chain) > 0) || len(chain) > 10 {
			t.Errorf("%d certificates, error %v", len(chain), err)
		}
	})
}

func FuzzSplitQuoted(f *testing.F) {
	f.Add(`a="b,\"c",d`)
	f.Fuzz(func(t *testing.T, value string) {
		total := -1
		for _, part := range splitQuoted(value, ',') {
			total += len(part) + 1
		}
		if total != len(value) {
			t.Errorf("the parts of %q have %d bytes", value, total)
		}
	})
}

func FuzzDecodeSignature(f *testing.F) {
	f.Add([]byte{0xfb, 0xff, 0xfe})
	f.Add(bytes.Repeat([]byte{7}, 256))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			got, err := decodeSignature(e.EncodeToString(data))
			usable := len(data) > 0 && len(e.EncodeToString(data)) <= 2*maxKeyBits/8
			if (err == nil) != usable || usable && !bytes.Equal(got, data) {
				t.Errorf("decoded %x to %x, error %v", data, got, err)
			}
		}
		if _, err := decodeSignature(string(data)); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
