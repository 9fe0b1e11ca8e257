package io.baton.cli;

import java.io.Console;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;

/**
 * What a command takes from the process it runs in.
 *
 * @param environment its variables
 * @param input standard input
 * @param terminal whether a person watches: progress is shown, and input is not waited for
 */
record Surroundings(Map<String, String> environment, InputStream input, boolean terminal) {

    static Surroundings ofProcess() {
        boolean terminal =
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        return new Surroundings(System.getenv(), System.in, terminal);
    }
}
