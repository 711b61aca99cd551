package api_test

import (
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestReceiverWaitsForItsFiles: a pod whose Secrets come after it is held back by the kubelet until they are complete. One
// that was let go without a file would end with an error, and be restarted with growing pauses.
func TestReceiverWaitsForItsFiles(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		dir    string
		keys   map[string][]string // volume to keys; nil is the whole Secret
	}{
		"Default": {
			reason: "the manager fills two Secrets after it has started",
			dir:    "../../config/default",
			keys:   map[string][]string{"routes": {"routes.yaml"}, "admin": {"token", "tls.crt", "tls.key"}, "tls": nil},
		},
		"Trial": {
			reason: "its configuration names the emulator's keys",
			dir:    filepath.Join(withTrialKeys(t), "trial"),
			keys:   map[string][]string{"proof": nil},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := deploymentIn(t, kubectl(t, "kustomize", tc.dir), receiverName).Spec.Template.Spec
			for volume, keys := range tc.keys {
				secret := secretOf(&pod, volume)
				if secret == nil || secret.Optional != nil && *secret.Optional {
					t.Errorf("the pod does not wait for the Secret of volume %s: %s", volume, tc.reason)
					continue
				}
				for _, key := range keys {
					if !slices.Contains(secret.Items, corev1.KeyToPath{Key: key, Path: key}) {
						t.Errorf("the pod does not wait for %s of volume %s: %s", key, volume, tc.reason)
					}
				}
			}
		})
	}
}

// secretOf is the Secret behind a volume, or nil.
func secretOf(pod *corev1.PodSpec, volume string) *corev1.SecretVolumeSource {
	for i := range pod.Volumes {
		if pod.Volumes[i].Name == volume {
			return pod.Volumes[i].Secret
		}
	}
	return nil
}
