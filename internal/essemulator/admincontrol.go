package essemulator

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// faultBody is a Fault with a delay as people write it, such as "2s".
type faultBody struct {
	Fault
	Delay string `json:"delay,omitempty"`
}

// fault checks a faultBody.
func (b faultBody) fault() (Fault, error) {
	f := b.Fault
	if b.Delay != "" {
		d, err := time.ParseDuration(b.Delay)
		if err != nil || d < 0 {
			return Fault{}, fmt.Errorf("injecting a fault: delay %q is no duration such as 2s: %w", b.Delay, ErrInvalid)
		}
		f.Delay = d
	}
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return Fault{}, fmt.Errorf("injecting a fault: status %d is not from 200 to 599: %w", f.Status, ErrInvalid)
	case f.Times < 0 || f.BodySize < 0 || f.BodySize > maxFaultBody:
		return Fault{}, fmt.Errorf("injecting a fault: times and bodySize must not be negative, bodySize at most %d: %w",
			maxFaultBody, ErrInvalid)
	}
	return f, nil
}

func (e *Emulator) adminInject(r *http.Request) (any, error) {
	var body faultBody
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	f, err := body.fault()
	if err != nil {
		return nil, err
	}
	return map[string]int{"number": e.InjectFault(f)}, nil
}

func (e *Emulator) adminFaults(*http.Request) (any, error) {
	out := map[int]faultBody{}
	for n, f := range e.Faults() {
		out[n] = faultBody{Fault: f, Delay: f.Delay.String()}
	}
	return out, nil
}

func (e *Emulator) adminClearFaults(*http.Request) (any, error) {
	e.ClearFaults()
	return nil, nil
}

func (e *Emulator) adminClearFault(r *http.Request) (any, error) {
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		return nil, fmt.Errorf("clearing a fault: %q is no number: %w", r.PathValue("number"), ErrInvalid)
	}
	e.ClearFault(n)
	return nil, nil
}

func (e *Emulator) adminAssumptions(*http.Request) (any, error) {
	return e.Assumptions().Settings(), nil
}

func (e *Emulator) adminAssume(r *http.Request) (any, error) {
	var settings map[string]string
	if err := decode(r, &settings); err != nil {
		return nil, err
	}
	next, err := e.Assumptions().With(settings)
	if err != nil {
		return nil, err
	}
	return next.Settings(), e.SetAssumptions(next)
}

func (e *Emulator) adminDisguise(*http.Request) (any, error) { return e.Disguise(), nil }

func (e *Emulator) adminSetDisguise(r *http.Request) (any, error) {
	var d Disguise
	if err := decode(r, &d); err != nil {
		return nil, err
	}
	return d, e.SetDisguise(d)
}

// publicKeys are what a receiver has to trust, in PEM.
type publicKeys struct {
	CA         string `json:"ca"`
	SigningKey string `json:"signingKey"`
}

func (e *Emulator) adminKeys(*http.Request) (any, error) {
	k := e.Keys()
	return publicKeys{string(k.CAPEM()), string(k.SigningKeyPEM())}, nil
}

func (e *Emulator) adminAnnounce(*http.Request) (any, error) {
	k, err := e.AnnounceWebhookKey()
	if err != nil {
		return nil, err
	}
	return publicKeys{string(k.CAPEM()), string(k.SigningKeyPEM())}, nil
}

func (e *Emulator) adminRotate(*http.Request) (any, error) {
	k, err := e.RotateWebhookKey()
	if err != nil {
		return nil, err
	}
	return publicKeys{string(k.CAPEM()), string(k.SigningKeyPEM())}, nil
}

// issued is a server certificate with its chain, and its key, in PEM.
type issued struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func (e *Emulator) adminIssue(r *http.Request) (any, error) {
	var body struct {
		Hosts []string `json:"hosts"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	cert, err := e.Keys().ServerCertificate(body.Hosts...)
	if err != nil {
		return nil, err
	}
	certPEM, keyPEM, err := CertificatePEM(cert)
	return issued{string(certPEM), string(keyPEM)}, err
}

// maxStep bounds one push of the clock, so that a slip does not leave the years that can be written.
const maxStep = 10 * 365 * 24 * time.Hour

// stepper is a clock that can be pushed forward.
type stepper interface{ Step(time.Duration) }

func (e *Emulator) adminClock(*http.Request) (any, error) {
	return map[string]time.Time{"now": e.clock.Now()}, nil
}

func (e *Emulator) adminStep(r *http.Request) (any, error) {
	var body struct {
		By string `json:"by"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	by, err := time.ParseDuration(body.By)
	if err != nil || by < 0 || by > maxStep {
		return nil, fmt.Errorf("pushing the clock: by %q is no duration such as 720h, at most %v: %w",
			body.By, maxStep, ErrInvalid)
	}
	c, ok := e.clock.(stepper)
	if !ok {
		return nil, fmt.Errorf("pushing the clock: %w", ErrFixedClock)
	}
	c.Step(by)
	return e.adminClock(r)
}
