package privileges_test

import (
	"crypto/tls"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/ess-operator/ess-operator/test/jitter"
	"github.com/ess-operator/ess-operator/test/loopback"
)

// receiverURL is where the manager believes the receiver to be.
const receiverURL = "https://events.example.com"

// listing makes client-go list and then watch, as it does with an API server that
// cannot begin a watch with all that there is.
const listing = "KUBE_FEATURE_WatchListClient=false"

// manager is one life of the manager.
type manager struct {
	c       *cluster
	cmd     *exec.Cmd
	exited  chan struct{}
	metrics string

	mu  sync.Mutex
	log strings.Builder
}

// start starts the manager as its Deployment would: with its flags, and as its service
// account. What can only be in a pod is replaced. It is killed at the end of the test.
// The environment is added to that of this process.
func (c *cluster) start(environment ...string) *manager {
	c.t.Helper()
	m := &manager{c: c, exited: make(chan struct{}), metrics: c.freeAddress()}
	args := append(c.flags(),
		"--kubeconfig="+c.kubeconfig(), "--leader-election-namespace="+systemNamespace,
		"--health-probe-bind-address=0", "--allowed-hosts=127.0.0.1", "--receiver-url="+receiverURL, "--log-format=text")
	if !strings.Contains(strings.Join(args, " "), "--metrics-bind-address=0") {
		args = append(args, "--metrics-bind-address="+m.metrics)
	}
	m.cmd = exec.Command(program, args...)
	m.cmd.Stdout, m.cmd.Stderr = m, m
	m.cmd.Env = append(os.Environ(), environment...)
	c.Expect(m.cmd.Start()).To(gomega.Succeed())
	go func() {
		_ = m.cmd.Wait() // how it ended is in ProcessState
		close(m.exited)
	}()
	c.t.Cleanup(m.end)
	return m
}

// flags are those of the Deployment.
func (c *cluster) flags() []string {
	c.t.Helper()
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: "ess-operator-manager"}}
	c.Expect(c.read(deployment)).To(gomega.Succeed())
	c.Expect(deployment.Spec.Template.Spec.ServiceAccountName).To(gomega.Equal(managerAccount))
	container := deployment.Spec.Template.Spec.Containers[0]
	var values []string
	for _, env := range container.Env {
		values = append(values, "$("+env.Name+")", c.value(env))
	}
	expand := strings.NewReplacer(values...)
	var args []string
	for _, arg := range container.Args {
		args = append(args, expand.Replace(arg))
	}
	return args
}

// value is what a pod would find in a variable.
func (c *cluster) value(env corev1.EnvVar) string {
	c.t.Helper()
	switch from := env.ValueFrom; {
	case from == nil:
		return env.Value
	case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.namespace":
		return systemNamespace
	case from.ConfigMapKeyRef != nil:
		config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: from.ConfigMapKeyRef.Name}}
		c.Expect(c.read(config)).To(gomega.Succeed())
		return config.Data[from.ConfigMapKeyRef.Key]
	default:
		c.t.Fatalf("the Deployment fills %s in a way that this test does not know", env.Name)
		return ""
	}
}

// kubeconfig is a file that reaches the API server with the token of the manager.
func (c *cluster) kubeconfig() string {
	c.t.Helper()
	late, err := jitter.FromEnvironment()
	c.Expect(err).NotTo(gomega.HaveOccurred())
	c.t.Log(late)
	host, authority, stop, err := late.InFront(c.plane.Config)
	c.Expect(err).NotTo(gomega.HaveOccurred())
	c.t.Cleanup(stop)
	config := clientcmdapi.NewConfig()
	config.Clusters["plane"] = &clientcmdapi.Cluster{Server: host, CertificateAuthorityData: authority}
	config.AuthInfos["manager"] = &clientcmdapi.AuthInfo{Token: c.token(systemNamespace, managerAccount)}
	config.Contexts["it"] = &clientcmdapi.Context{Cluster: "plane", AuthInfo: "manager"}
	config.CurrentContext = "it"
	path := filepath.Join(c.t.TempDir(), "kubeconfig")
	c.Expect(clientcmd.WriteToFile(*config, path)).To(gomega.Succeed())
	return path
}

// freeAddress is an address of loopback that nobody uses.
func (c *cluster) freeAddress() string {
	c.t.Helper()
	address, err := loopback.Address()
	c.Expect(err).NotTo(gomega.HaveOccurred())
	return address
}

// Write collects the log.
func (m *manager) Write(text []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.Write(text)
}

func (m *manager) logged() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.String()
}

// eventuallyLogs waits until the log holds a text.
func (m *manager) eventuallyLogs(text string) {
	m.c.t.Helper()
	m.c.Eventually(m.logged).Should(gomega.ContainSubstring(text))
}

// stop ends the manager as the kubelet does.
func (m *manager) stop() {
	m.c.t.Helper()
	m.c.Expect(m.cmd.Process.Signal(syscall.SIGTERM)).To(gomega.Succeed())
	m.c.Eventually(m.exited).Should(gomega.BeClosed())
	if code := m.cmd.ProcessState.ExitCode(); code != 0 {
		m.c.t.Errorf("the manager ended with %d", code)
	}
}

// end kills the manager if need be, and looks at what it has said.
func (m *manager) end() {
	_ = m.cmd.Process.Kill() // it may be gone already
	<-m.exited
	for _, never := range []string{"DATA RACE", "panic:", appSecret, "Bearer "} {
		if strings.Contains(m.logged(), never) {
			m.c.t.Errorf("the log holds %q", never)
		}
	}
	if m.c.t.Failed() {
		m.c.t.Logf("log of the manager:\n%s", m.logged())
	}
}

// scrape asks for the metrics with a token, or none, and returns the HTTP status; 0 when there was no answer.
func (m *manager) scrape(token string) int {
	m.c.t.Helper()
	// The certificate signs itself, and lives as long as the manager.
	caller := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(m.c.t.Context(), http.MethodGet, "https://"+m.metrics+"/metrics", nil)
	m.c.Expect(err).NotTo(gomega.HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := caller.Do(request)
	if err != nil {
		return 0 // it may not serve yet
	}
	defer answer.Body.Close()
	return answer.StatusCode
}
