package io.baton.cli;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(name = "bench", description = "Measures parts of Baton on this machine.")
final class BenchCommand implements Runnable {

    @Spec
    private @Nullable CommandSpec spec;

    /** Without a subcommand: usage, as an error. */
    @Override
    public void run() {
        CommandSpec command = Objects.requireNonNull(spec, "picocli sets the spec before it runs");
        throw new ParameterException(command.commandLine(), "Missing required subcommand");
    }
}
