package io.baton.cli;

import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The command as a test runs it: its own environment and input, and what it printed. */
final class BatonUnderTest {

    private final Printed out = new Printed();
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
    String firstLine() throws InterruptedException {
        return out.firstLine();
    }

    String err() {
        return err.toString();
    }

    private static final class Printed extends StringWriter {

        private static final long PATIENCE_MILLIS = 30_000;

        @Override
        public synchronized void flush() {
            notifyAll();
        }

        synchronized String firstLine() throws InterruptedException {
            long end = System.currentTimeMillis() + PATIENCE_MILLIS;
            while (toString().indexOf('\n') < 0) {
                long left = end - System.currentTimeMillis();
                if (left <= 0) {
                    throw new AssertionError("no line within %d ms: %s".formatted(PATIENCE_MILLIS, this));
                }
                wait(left);
            }
            return toString().lines().findFirst().orElseThrow();
        }
    }
}
