package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ess-operator/ess-operator/controllers/adminsecret"
	"github.com/ess-operator/ess-operator/controllers/applicationconnector"
	"github.com/ess-operator/ess-operator/controllers/eventsubscription"
	"github.com/ess-operator/ess-operator/controllers/internal/index"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/controllers/recovery"
	"github.com/ess-operator/ess-operator/controllers/routes"
	"github.com/ess-operator/ess-operator/controllers/statistics"
)

// addStatistics registers what brings statistics from the receiver.
func (o Options) addStatistics(mgr ctrl.Manager, config *eventsubscription.Config, callouts *applicationconnector.Config) error {
	if o.ReceiverAdmin.URL == "" {
		return nil
	}
	receiver, err := o.addAdminSecret(mgr, config)
	if err != nil {
		return err
	}
	reports, ofConnectors := wake.NewBell(), wake.NewBell()
	poller := statistics.New(statistics.Config{
		Receiver: receiver, Objects: mgr.GetClient(), Interval: o.StatisticsInterval, Clock: config.Clock,
		Wake:          func(ctx context.Context, object types.NamespacedName) { reports.Ring(ctx, object, wake.Resync) },
		WakeConnector: func(ctx context.Context, object types.NamespacedName) { ofConnectors.Ring(ctx, object, wake.Resync) },
	})
	if err := mgr.Add(poller); err != nil {
		return fmt.Errorf("adding the poller of statistics: %w", err)
	}
	config.Statistics, config.Reports = poller, reports
	callouts.Statistics, callouts.Reports = poller, ofConnectors
	return nil
}

// addAdminSecret registers what keeps the Secret of the receiver's admin port, and returns how to get in there.
func (o Options) addAdminSecret(mgr ctrl.Manager, config *eventsubscription.Config) (statistics.Receiver, error) {
	receiver := o.ReceiverAdmin
	if o.AdminSecret.Name == "" {
		return receiver, nil
	}
	at, err := url.Parse(receiver.URL)
	if err != nil {
		return receiver, fmt.Errorf("reading the receiver's admin URL: %w", err)
	}
	keeper := adminsecret.New(adminsecret.Config{
		Client: mgr.GetClient(), Events: config.Events, Secret: o.AdminSecret, Host: at.Hostname(), Clock: config.Clock,
	})
	if err := keeper.SetupWithManager(mgr, o.controller()); err != nil {
		return receiver, fmt.Errorf("setting up the controller of the receiver's admin Secret: %w", err)
	}
	receiver.Credentials = keeper
	return receiver, nil
}

// addCallouts registers what reads ApplicationConnectors. The routes are among it: written without the connectors,
// they would have the receiver turn callouts away.
func (o Options) addCallouts(ctx context.Context, mgr ctrl.Manager, allow func(*url.URL) error, config applicationconnector.Config) error {
	if err := index.AddConnectors(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if o.RoutesSecret.Name != "" {
		writer := routes.New(routes.Config{
			Client: mgr.GetClient(), Events: config.Events, Secret: o.RoutesSecret, CrossNamespaceSinks: o.CrossNamespaceSinks, LeftOut: o.LeftOut,
			Logins: config.Book, Changed: config.Changed, Routed: config.Routed, Clock: config.Clock,
		})
		if err := writer.SetupWithManager(mgr, o.controller()); err != nil {
			return fmt.Errorf("setting up the controller of routes: %w", err)
		}
	}
	runner := recovery.New(recovery.Config{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Book: config.Book, AllowURL: allow, Wrap: o.WrapConcur,
		Receiver:  recovery.Receiver{URL: config.ReceiverURL, ConnectTo: o.ReceiverConnectTo, CAFile: o.ReceiverCAFile},
		Recovered: config.Recovered, Events: config.Events, Clock: config.Clock,
	})
	if err := runner.SetupWithManager(mgr, o.controller()); err != nil {
		return fmt.Errorf("setting up the controller of failed notifications: %w", err)
	}
	config.Recoveries = runner
	if err := applicationconnector.New(config).SetupWithManager(mgr, o.controller()); err != nil {
		return fmt.Errorf("setting up the controller of ApplicationConnectors: %w", err)
	}
	return nil
}

// definitionsCheck is how often a definition that is missing is looked for.
const definitionsCheck = 5 * time.Second

// whenServed calls setup now or, if the API server does not know the kind, once it does. The others must not wait for
// it: while definitions are deleted one after the other, objects of those that are left still have finalizers to lose.
func whenServed(ctx context.Context, mgr ctrl.Manager, kind schema.GroupVersionKind, setup func(context.Context) error) error {
	served := func() (bool, error) {
		_, err := mgr.GetRESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
		if meta.IsNoMatchError(err) {
			return false, nil
		}
		return err == nil, err
	}
	switch now, err := served(); {
	case err != nil:
		return fmt.Errorf("looking for the definition of %s: %w", kind.Kind, err)
	case now:
		return setup(ctx)
	}
	log := ctrl.Log.WithValues("kind", kind.Kind)
	log.Info("the API server does not know this kind: nothing is done about it, and no routes are written, until its definition is installed")
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		found := wait.PollUntilContextCancel(ctx, definitionsCheck, false, func(context.Context) (bool, error) {
			now, err := served()
			if err != nil {
				log.Error(err, "looking for the definition of this kind")
			}
			return now, nil // what fails is tried again
		})
		if wait.Interrupted(found) {
			return nil // the manager ends
		}
		log.Info("the definition of this kind has been installed")
		return errors.Join(found, setup(ctx))
	}))
}
