// Package adminsecret keeps the Secret of the receiver's admin port complete, so
// that nobody has to make a token and a certificate by hand.
//
// The Secret is made, empty, with the receiver's manifests, and mounted into the
// receiver. The [Keeper] puts there what is missing:
//
//	token    what callers show: 32 random bytes in hexadecimal. Never replaced.
//	tls.crt  the certificate that the receiver serves, for 90 days
//	tls.key  its key
//	ca.crt   the authority that signed it, for ten years; what callers trust
//	ca.key   the authority's key. It is not mounted into the receiver.
//
// A certificate is replaced when two thirds of its life are over, or when the host
// of --receiver-admin-url is another. Only one that the Keeper issued is: its
// issuer has the name of our authority, and an authority of that name in ca.crt
// signed it. Whatever else is there, by cert-manager or by hand, stays as it is,
// and a person is told when it cannot do.
//
// No caller is turned away while a certificate is replaced, because the authority
// stays: whoever trusts ca.crt trusts the old certificate, which the receiver
// serves until the kubelet has brought the new one, and the new one too. A new
// authority stands beside the old one in ca.crt, for years, and signs first when
// the next certificate is due.
//
// The Keeper is also who knows the Secret's content ([Keeper.Read]), so that
// nobody else has to ask the API server for it.
package adminsecret
