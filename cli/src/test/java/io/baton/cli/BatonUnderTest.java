package io.baton.cli;

import io.baton.testing.Waiting;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The command as a test runs it: its own environment and input, and what it printed. */
final class BatonUnderTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Surroundings surroundings;

    private BatonUnderTest(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    static BatonUnderTest plain() {
        return new BatonUnderTest(new Surroundings(Map.of(), new ByteArrayInputStream(new byte[0]), true));
    }

    static BatonUnderTest withEnvironment(Map<String, String> environment) {
        return new BatonUnderTest(new Surroundings(environment, new ByteArrayInputStream(new byte[0]), true));
    }

    static BatonUnderTest withInput(String input) {
        byte[] bytes = input.getBytes(StandardCharsets.UTF_8);
        return new BatonUnderTest(new Surroundings(Map.of(), new ByteArrayInputStream(bytes), false));
    }

    int run(String... arguments) {
        return Baton.commandLine(surroundings, new PrintWriter(out, true), new PrintWriter(err, true))
                .execute(arguments);
    }

    String out() {
        return out.toString();
    }

    /** The first line, as soon as a command that goes on in another thread has printed it. */
    String firstLine() {
        Waiting.until("a line is printed", () -> out().indexOf('\n') >= 0);
        return out().lines().findFirst().orElseThrow();
    }

    String err() {
        return err.toString();
    }
}
