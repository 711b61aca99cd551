//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// errUnreached: nothing came back, be it that the connection was refused or that nobody answered in time.
var errUnreached = errors.New("no answer")

// prober is a pod that can be told to connect to something: an emulator, which makes a call when an administrator presses
// Test Connection for an application connector.
type prober struct {
	namespace, name, ip string
	admin               *concur
}

// reaches is nil if the pod gets an answer over HTTP, whichever. Servers that speak TLS answer plain HTTP by 400, which is
// all that has to be known here: no certificate and no secret is needed.
func (p *prober) reaches(ctx context.Context, address string) error {
	path := "/v1/connectors/" + url.PathEscape(address)
	if err := p.admin.call(ctx, http.MethodPut, path, fmt.Sprintf(`{"host":%q}`, "http://"+address), nil); err != nil {
		return fmt.Errorf("asking %s: %w", p.name, err)
	}
	var test struct {
		Status int
		Error  string
	}
	if err := p.admin.call(ctx, http.MethodPost, path+"/test", "", &test); err != nil {
		return fmt.Errorf("asking %s: %w", p.name, err)
	}
	if test.Status == 0 {
		return fmt.Errorf("%w: %s", errUnreached, test.Error)
	}
	return nil
}

// probeNetwork starts the probers beside an installation of config/emulator.
func (s *suite) probeNetwork(ctx context.Context) *network {
	s.t.Helper()
	const component = "app.kubernetes.io/component"
	n := &network{
		suite:    s,
		receiver: s.podIP(ctx, operatorNamespace, component+"=receiver"),
		manager:  s.podIP(ctx, operatorNamespace, component+"=manager"),
		sink:     s.podIP(ctx, trialNamespace, sinkLabels),
		emulator: s.podIP(ctx, concurNamespace, "app.kubernetes.io/name=ess-emulator"),
	}
	_, err := s.clientset.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: networkNamespace}}, metav1.CreateOptions{})
	s.must(err)
	like := func(program string) map[string]string {
		return map[string]string{"app.kubernetes.io/name": "ess-operator", component: program}
	}
	n.outsider = s.startProber(ctx, networkNamespace, "outsider", nil)
	n.asReceiver = s.startProber(ctx, operatorNamespace, "like-the-receiver", like("receiver"))
	n.asManager = s.startProber(ctx, operatorNamespace, "like-the-manager", like("manager"))
	for _, p := range []*prober{n.outsider, n.asReceiver, n.asManager} {
		s.meet(ctx, p)
	}
	return n
}

func (s *suite) startProber(ctx context.Context, namespace, name string, labels map[string]string) *prober {
	s.t.Helper()
	emulator, err := s.clientset.AppsV1().Deployments(concurNamespace).Get(ctx, "ess-emulator", metav1.GetOptions{})
	s.must(err)
	pod := proberPod(emulator.Spec.Template.Spec.Containers[0].Image)
	pod.Namespace, pod.Name, pod.Labels = namespace, name, labels
	_, err = s.clientset.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
	s.must(err)
	return &prober{namespace: namespace, name: name}
}

// meet waits until a prober can be asked.
func (s *suite) meet(ctx context.Context, p *prober) {
	s.t.Helper()
	s.kubectl(ctx, "wait", "-n", p.namespace, "--for=jsonpath={.status.phase}=Running", "--timeout=60s", "pod/"+p.name)
	pod, err := s.clientset.CoreV1().Pods(p.namespace).Get(ctx, p.name, metav1.GetOptions{})
	s.must(err)
	p.ip = pod.Status.PodIP
	p.admin = &concur{
		url:    "http://" + s.forward(ctx, p.namespace, "pod/"+p.name, adminPort),
		client: &http.Client{Timeout: 20 * time.Second},
	}
	s.eventually(ctx, p.name+" answers", func(ctx context.Context) error {
		return p.admin.call(ctx, http.MethodGet, "/v1/clock", "", nil)
	})
}

// proberPod is an emulator with new keys. It never becomes ready, so that no Service sends it what is meant for the pods whose
// labels it has.
func proberPod(image string) *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{
		AutomountServiceAccountToken: ptr.To(false),
		EnableServiceLinks:           ptr.To(false),
		ReadinessGates:               []corev1.PodReadinessGate{{ConditionType: "concur.ess-operator.io/never"}},
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](65532), FSGroup: ptr.To[int64](65532),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name: "prober", Image: image, ImagePullPolicy: corev1.PullIfNotPresent,
			Args: []string{
				"--listen=:8443", fmt.Sprintf("--admin-listen=127.0.0.1:%d", adminPort), "--state-dir=/keys",
				"--plain-connectors", "--check-credentials=false", "--callout-timeout=3s",
			},
			VolumeMounts: []corev1.VolumeMount{{Name: "keys", MountPath: "/keys"}},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true),
				Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
		Volumes: []corev1.Volume{{Name: "keys", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
	}}
}
