package route

import "github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"

// file is the routes file as it is written.
type file struct {
	Subscriptions []subscription `yaml:"subscriptions"`
	Connectors    []connector    `yaml:"connectors"`
}

type subscription struct {
	Namespace      string    `yaml:"namespace"`
	Name           string    `yaml:"name"`
	SubscriptionID string    `yaml:"subscriptionID"`
	Source         string    `yaml:"source"`
	Sink           *sink     `yaml:"sink"`
	AwaitSink      bool      `yaml:"awaitSink"`
	Delivery       *delivery `yaml:"delivery"`
}

type connector struct {
	Namespace   string       `yaml:"namespace"`
	Name        string       `yaml:"name"`
	Path        string       `yaml:"path"`
	Credentials []credential `yaml:"credentials"`
	Sink        *sink        `yaml:"sink"`
	AwaitSink   bool         `yaml:"awaitSink"`
	Delivery    *delivery    `yaml:"delivery"`
}

type credential struct {
	Username   string  `yaml:"username"`
	Password   string  `yaml:"password"`
	ValidUntil instant `yaml:"validUntil"`
}

type sink struct {
	URI      string `yaml:"uri"`
	CABundle string `yaml:"caBundle"`
}

type delivery struct {
	Retry          *int    `yaml:"retry"`
	BackoffPolicy  string  `yaml:"backoffPolicy"`
	BackoffDelay   isoTime `yaml:"backoffDelay"`
	Timeout        isoTime `yaml:"timeout"`
	DeadLetterSink *sink   `yaml:"deadLetterSink"`
	Ordering       string  `yaml:"ordering"`
	Format         string  `yaml:"format"`
}

// Keys returns the path of every key of the routes file; documentation is held to it.
func Keys() []string { return strictyaml.Keys(file{}) }
