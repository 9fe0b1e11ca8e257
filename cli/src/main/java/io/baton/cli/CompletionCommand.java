package io.baton.cli;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "completion",
        description = "Prints a completion script for bash and zsh; load it with: source <(./baton completion)")
final class CompletionCommand implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public void run() {
        CommandLine command = Objects.requireNonNull(spec, "picocli sets the spec before it runs")
                .commandLine();
        CommandLine root = command.getParent();
        command.getOut().print(AutoComplete.bash(root.getCommandName(), root));
        command.getOut().flush();
    }
}
