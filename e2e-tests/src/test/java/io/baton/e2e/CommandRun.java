package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.cli.Baton;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;

/**
 * The {@code baton} command, run in this process without input, and what it printed.
 *
 * @param exit its exit code
 */
public record CommandRun(int exit, String out, String err) {

    public static CommandRun of(Map<String, String> environment, List<String> arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Baton.run(
                environment,
                InputStream.nullInputStream(),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                arguments.toArray(String[]::new));
        return new CommandRun(exit, out.toString(), err.toString());
    }

    /** What a command prints that must succeed. */
    static String printed(List<String> arguments) {
        CommandRun run = of(Map.of(), arguments);
        assertThat(run.exit()).as(run.err()).isZero();
        return run.out();
    }
}
