package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// writeCertificate writes a self-signed pair with the given common name.
func (b *bench) writeCertificate(name string) {
	b.Helper()
	certificate, key := b.pair(name)
	b.write("tls.crt", certificate)
	b.write("tls.key", key)
}

func (b *bench) pair(name string) (certificate, key string) {
	b.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		b.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		b.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// blind takes any certificate, and makes a handshake for each request.
func blind(keepAlive bool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: !keepAlive,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}}
}

// shown returns the name in the certificate that a handshake shows.
func (b *bench) shown(address string) string {
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(b.Context(), "tcp", address)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestCertificateIsExchangedUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.writeCertificate("first")
	b.configure(", tls: {certFile: tls.crt, keyFile: tls.key}")
	r := b.ready()

	var failed, done atomic.Int64
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for i := range 4 {
		senders.Go(func() {
			client := blind(i%2 == 0)
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				request, err := delivery(b.Context(), "https://"+r.events+route, eventBody(fmt.Sprint("load-", i, "-", n)), signingKey())
				if err != nil {
					b.Error(err)
					return
				}
				if status, text := answer(client, request); status != http.StatusOK {
					failed.Add(1)
					b.Errorf("answer %d: %s", status, text)
					return
				}
				done.Add(1)
			}
		})
	}
	for _, name := range []string{"second", "third"} {
		before := done.Load()
		b.writeCertificate(name)
		b.Eventually(func() string { return b.shown(r.events) }).Should(Equal(name))
		b.Eventually(done.Load).Should(BeNumerically(">", before+20))
	}
	// A key that does not belong to the certificate: the pair stays.
	_, stranger := b.pair("fourth")
	b.write("tls.key", stranger)
	b.Eventually(func() string { return b.metric(r, `ess_receiver_reload_refused{file="events.tls"}`) }).Should(Equal("1"))
	b.Expect(b.shown(r.events)).To(Equal("third"))
	b.Expect(b.metric(r, `ess_receiver_certificate_expiry_timestamp_seconds{file="events.tls"}`)).NotTo(BeEmpty())
	close(stop)
	senders.Wait()
	b.Expect(failed.Load()).To(BeZero())
}

func TestClientCertificateProves(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.writeCertificate("receiver")
	certificate, key := b.pair("webhook.api.concursolutions.com")
	b.write("ca.pem", certificate)
	b.configure(", tls: {certFile: tls.crt, keyFile: tls.key}")
	b.write("config.yaml", replaced(b.read("config.yaml"), "signature: {publicKeyFiles: [concur.pem]}", "clientCertificate: {caFile: ca.pem}"))
	r := b.ready()
	shown, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	b.Expect(err).NotTo(HaveOccurred())
	client := blind(true)
	client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{shown}
	for who, want := range map[*http.Client]int{client: http.StatusOK, blind(true): http.StatusUnauthorized} {
		request, err := delivery(b.Context(), "https://"+r.events+route, eventBody("c"), signingKey())
		b.Expect(err).NotTo(HaveOccurred())
		status, text := answer(who, request)
		b.Expect(status).To(Equal(want), text)
	}
}
