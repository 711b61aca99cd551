package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ess-operator/ess-operator/internal/version"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/app"
)

// usageError says that the command line cannot be used.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// settings are the flags of the program itself.
type settings struct {
	config, routes string
	logLevel       slog.Level
	logFormat      string
}

func newCommand() *cobra.Command {
	var s settings
	command := &cobra.Command{
		Use:   "webhook-receiver",
		Short: "Take events from SAP Concur and hand them on as CloudEvents",
		Long: `webhook-receiver takes the events that SAP Concur posts, proves that they are Concur's, stores them
before it answers, and hands them to sinks as CloudEvents until they are taken.

It reads two files and watches them: changes are in force within seconds, without a restart, and a bad
file is refused while the old one stays in force. SIGHUP has them read at once. SIGTERM drains; a second
one ends the program at once.`,
		Example: `  webhook-receiver --config config.yaml --routes routes.yaml
  webhook-receiver check --config config.yaml --routes routes.yaml`,
		Args:          noArguments,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := s.logger(c.ErrOrStderr())
			if err != nil {
				return err
			}
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			return app.Run(c.Context(), app.Options{
				ConfigPath: s.config, RoutesPath: s.routes, Logger: log, Version: version.String(), Reload: reload,
			})
		},
	}
	flags := command.PersistentFlags()
	flags.StringVar(&s.config, "config", "config.yaml", "path of the configuration")
	flags.StringVar(&s.routes, "routes", "routes.yaml", "path of the routes file")
	flags.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "least level to log: debug, info, warn or error")
	flags.StringVar(&s.logFormat, "log-format", "json", "json or text")
	command.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	command.CompletionOptions.DisableDefaultCmd = true
	command.AddCommand(newCheck(&s), newJournal())
	return command
}

func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q: see %s --help", args[0], c.CommandPath())}
	}
	return nil
}

// logger writes to standard error, so that standard output is what a command was asked for.
func (s settings) logger(w io.Writer) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: s.logLevel}
	switch s.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	default:
		return nil, usageError{fmt.Errorf("--log-format is %q: use json or text", s.logFormat)}
	}
}

// errBad says that a check has found something, and has said so already.
var errBad = errors.New("the files cannot be used as they are")

func newCheck(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Say whether both files, and all that they name, are good",
		Long: `check reads the configuration, the routes and every file that they name, as a start would, and prints
all that is wrong, a line each. It exits with 1 if there is something, and changes nothing.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := s.logger(c.ErrOrStderr())
			if err != nil {
				return err
			}
			problems := app.Check(s.config, s.routes, log)
			for _, p := range problems {
				fmt.Fprintln(c.OutOrStdout(), p)
			}
			if len(problems) > 0 {
				return errBad
			}
			fmt.Fprintf(c.OutOrStdout(), "%s and %s are good\n", s.config, s.routes)
			return nil
		},
	}
}
