package callout

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// crowded is a Service with one connector that could be sent to, and no engine that does.
func crowded(t *testing.T) *Service {
	t.Helper()
	s := New(Config{Clock: clocktesting.NewFakeClock(time.Unix(1e9, 0))})
	err := s.PutConnector(Connector{
		Name: "c", Host: "https://connector.test", UserName: "user name 1", Password: "password 1", Enabled: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.connectors["c"].Verified = true
	return s
}

func TestWhatIsNotDeletedIsBounded(t *testing.T) {
	t.Parallel()
	s := crowded(t)
	for range maxLive {
		if _, err := s.PublishRaw(Target{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.settle(s.connectors["c"], s.ledger[0], GivenUp)
	if _, err := s.PublishRaw(Target{}, nil); !errors.Is(err, ErrBacklogFull) {
		t.Errorf("one too many: %v, want ErrBacklogFull", err)
	}
	if err := s.Delete("", s.ledger[0].NotificationID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PublishRaw(Target{}, nil); err != nil {
		t.Errorf("after one was deleted: %v", err)
	}
}

func TestBytesThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	s := crowded(t)
	if _, err := s.PublishRaw(Target{}, make([]byte, maxRaw+1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("a body too large: %v, want ErrInvalid", err)
	}
	s.queued = maxQueued - 10
	if _, err := s.PublishRaw(Target{}, make([]byte, 11)); !errors.Is(err, ErrBacklogFull) {
		t.Errorf("bytes too many: %v, want ErrBacklogFull", err)
	}
	s.queued = 0
	if _, err := s.PublishRaw(Target{}, make([]byte, 2*maxKeptBody)); err != nil {
		t.Fatal(err)
	}
	if c := s.Ledger()[0]; len(c.Body) != maxKeptBody || c.BodySize != 2*maxKeptBody || len(s.ledger[0].body) != c.BodySize {
		t.Errorf("while it waits the ledger shows %d bytes of %d, and keeps %d", len(c.Body), c.BodySize, len(s.ledger[0].body))
	}
	s.settle(s.connectors["c"], s.ledger[0], Delivered)
	if len(s.ledger[0].body) != maxKeptBody || s.queued != 0 || s.live != 0 {
		t.Errorf("afterwards it keeps %d bytes, %d wait, %d live", len(s.ledger[0].body), s.queued, s.live)
	}
}

func TestLedgerForgetsOnlyWhatIsDone(t *testing.T) {
	t.Parallel()
	s := crowded(t)
	for range maxLedger + 1 {
		if _, err := s.PublishRaw(Target{}, nil); err != nil {
			t.Fatal(err)
		}
		switch last := s.ledger[len(s.ledger)-1]; last.ID {
		case 1: // stays queued
		case 2:
			s.settle(s.connectors["c"], last, GivenUp)
		default:
			s.settle(s.connectors["c"], last, Delivered)
		}
	}
	got := s.Ledger()
	if len(got) > maxLedger || got[0].Outcome != Queued || got[1].Outcome != GivenUp || got[2].ID == 3 {
		t.Errorf("%d callouts, the first are %d %s, %d %s, %d", len(got),
			got[0].ID, got[0].Outcome, got[1].ID, got[1].Outcome, got[2].ID)
	}
}

func TestConnectorsAreBounded(t *testing.T) {
	t.Parallel()
	s := crowded(t)
	c := s.Connectors()[0]
	for n := range maxConnectors - 1 {
		c.Name = strconv.Itoa(n)
		if err := s.PutConnector(c); err != nil {
			t.Fatal(err)
		}
	}
	c.Name = "one too many"
	if err := s.PutConnector(c); !errors.Is(err, ErrBacklogFull) {
		t.Errorf("%v, want ErrBacklogFull", err)
	}
	c.Name = "c"
	if err := s.PutConnector(c); err != nil {
		t.Errorf("replacing one: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range Samples() {
		body, err := Sample(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, seed := range []string{
		"", "<", "<a>&b;</a>", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, "\ufeff<Context>x</Context>",
		"<?xml version=\"1.0\" encoding=\"UTF-16\"?><Context>x</Context>", strings.Repeat("<a>", 1000),
		"<Context><Context>x</Context>y</Context>", "\xff\xfe<\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := read(body)
		if total := len(c.EventType + c.ObjectType + c.ObjectURI + c.Context + c.dateText); total > 4*len(body) {
			t.Fatalf("%q grew to %d bytes", body, total)
		}
		assume := DefaultAssumptions()
		again := read(c.post(&assume))
		if wellFormed(t, c.post(&assume)); again.ObjectURI != xmlText(c.ObjectURI) || again.EventType != xmlText(c.EventType) {
			t.Fatalf("%q reads as %+v, but what is written of it as %+v", body, c, again)
		}
		wellFormed(t, ListXML(RootNotificationList, []Failed{(&callout{content: c, Callout: Callout{
			ObjectURI: c.ObjectURI, EventType: c.EventType, ObjectType: c.ObjectType,
		}}).failed("https://concur.test/", DateAndTime)}))
	})
}

// xmlText is a text after a way through XML, which cannot carry every character.
func xmlText(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	var out string
	if err := xml.Unmarshal([]byte("<a>"+b.String()+"</a>"), &out); err != nil {
		return s
	}
	return out
}

func wellFormed(t *testing.T, body []byte) {
	t.Helper()
	in := xml.NewDecoder(bytes.NewReader(body))
	for {
		if _, err := in.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%q is not well-formed: %v", body, err)
		}
	}
}
