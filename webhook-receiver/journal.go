package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
)

// What the commands of the journal end with when they have said already what is wrong.
var (
	errDamaged = errors.New("the journal is damaged")
	errPartial = errors.New("not everything could be brought over; keep the damaged journal until you know that nothing of it is missed")
)

func newJournal() *cobra.Command {
	command := &cobra.Command{
		Use:   "journal",
		Short: "Look at a journal that no receiver has open",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return usageError{fmt.Errorf("%s needs a command: check or salvage", c.CommandPath())}
		},
	}
	command.AddCommand(newJournalCheck(), newJournalSalvage())
	return command
}

func newJournalCheck() *cobra.Command {
	var path string
	command := &cobra.Command{
		Use:   "check --path journal.db",
		Short: "Say whether a journal is whole",
		Long: `check reads every record and every index of a journal and prints what is wrong. It changes nothing, and
exits with 1 if there is something. Stop the receiver before: one process uses a journal at a time.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := journal.Check(path)
			if err != nil {
				return err
			}
			printCheck(c.OutOrStdout(), path, report)
			if !report.Whole() {
				return fmt.Errorf("%w: bring what is whole into a new one with \"webhook-receiver journal salvage --from %s --to %s.salvaged\"",
					errDamaged, path, path)
			}
			return nil
		},
	}
	command.Flags().StringVar(&path, "path", "journal.db", "path of the journal")
	return command
}

func printCheck(out io.Writer, path string, report journal.CheckReport) {
	for _, problem := range report.Problems {
		fmt.Fprintln(out, problem)
	}
	for _, seq := range report.Damaged {
		fmt.Fprintf(out, "event %d is not what was stored\n", seq)
	}
	if report.Events == 0 && len(report.Problems) > 0 {
		fmt.Fprintf(out, "the events of %s cannot be counted; salvage finds those that are whole\n", path)
		return
	}
	fmt.Fprintf(out, "%s holds %d events; %d are damaged\n", path, report.Events, len(report.Damaged))
}

func newJournalSalvage() *cobra.Command {
	var from, to string
	command := &cobra.Command{
		Use:   "salvage --from journal.db --to journal.db.salvaged",
		Short: "Bring what is whole in a damaged journal into a new one",
		Long: `salvage reads every event that is whole in a damaged journal and writes it to a new one, which must not
exist. It changes nothing in the damaged one. It says what could not be brought over, and exits with 1 if
there is something: the new journal is good nevertheless. Stop the receiver before, and let it use the
new journal after: events whose state was lost are delivered once more rather than not at all.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if from == "" || to == "" {
				return usageError{errors.New("salvage needs two paths: --from the damaged journal, --to the new one")}
			}
			report, err := journal.Salvage(from, to)
			if err != nil {
				return err
			}
			printSalvage(c.OutOrStdout(), to, report)
			if report.Events == 0 && len(report.Missing) == 0 {
				fmt.Fprintf(c.OutOrStdout(), "%s held no event, or is no journal: look whether it is the right file, and keep it\n", from)
			}
			if len(report.Missing) > 0 || report.Unreadable > 0 {
				return errPartial
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&from, "from", "", "path of the damaged journal")
	flags.StringVar(&to, "to", "", "path of the new one")
	return command
}

func printSalvage(out io.Writer, to string, report journal.SalvageReport) {
	for _, seq := range report.Missing {
		fmt.Fprintf(out, "event %d is lost: its bytes are not whole\n", seq)
	}
	for _, line := range []struct {
		count int64
		text  string
	}{
		{int64(report.Unknown), "have no readable state: they are pending now, and may be delivered a second time"},
		{int64(report.Stale), "may have an older state than they had"},
		{int64(report.Removed), "had been removed before the damage, and stay so"},
		{int64(report.IDs), "ids are remembered though their events are gone"},
		{report.Unreadable, "bytes could not be read"},
	} {
		if line.count > 0 {
			fmt.Fprintln(out, line.count, line.text)
		}
	}
	fmt.Fprintf(out, "%s holds %d events now; %d are lost\n", to, report.Events, len(report.Missing))
}
