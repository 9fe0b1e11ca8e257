package io.baton.e2e.errors;

import io.baton.e2e.CommandRun;
import io.baton.e2e.ShellWords;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a command line ended.
 *
 * @param status the gRPC status it ended with or printed; {@link ErrorRow#NONE} for none
 * @param exit likewise
 * @param message the first line of what it printed on stderr
 * @param more what else stood there
 */
record Outcome(String status, String exit, String message, String more) {

    private static final Pattern STATUS = Pattern.compile("^baton [a-z]+: ([A-Z_]{2,}): .*");

    /** Runs {@code [VARIABLE=value…] baton …} in this process, or {@code grpcurl -plaintext -d JSON TARGET METHOD}. */
    static Outcome of(String commandLine) {
        List<String> words = ShellWords.of(commandLine);
        Map<String, String> environment = new HashMap<>();
        while (words.getFirst().contains("=")) {
            String[] assignment = words.removeFirst().split("=", 2);
            environment.put(assignment[0], assignment[1]);
        }
        return switch (words.removeFirst()) {
            case "baton" -> baton(environment, words);
            case "grpcurl" -> JsonCall.parse(words).outcome();
            case String other -> throw new IllegalArgumentException("expected baton or grpcurl, found " + other);
        };
    }

    private static Outcome baton(Map<String, String> environment, List<String> words) {
        CommandRun run = CommandRun.of(environment, words);
        String[] lines = run.err().strip().split("\\R", 2);
        Matcher status = STATUS.matcher(lines[0]);
        return new Outcome(
                status.matches() ? status.group(1) : ErrorRow.NONE,
                String.valueOf(run.exit()),
                lines[0],
                lines.length > 1 ? lines[1] : "");
    }
}
