package io.baton.e2e.fault;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What docs/operations.md says of failures, made from the rows that are tested: rows that differ in phase or policy
 * alone share a line. A test compares, so that the page promises what is tested and nothing else.
 */
final class FaultTable {

    private static final Path PAGE = Path.of("..", "docs", "operations.md");

    /**
     * @param cause what fails
     * @param phase while a request does what
     * @param policy what the request allows
     * @param seen what the client gets
     * @param bound within which that is noticed
     * @param reasons codes in the response's route
     */
    record Row(String cause, String phase, String policy, String seen, String bound, List<String> reasons) {

        private Row withoutPhase() {
            return new Row(cause, "", policy, seen, bound, reasons);
        }

        private Row withoutPolicy() {
            return new Row(cause, phase, "", seen, bound, reasons);
        }
    }

    private FaultTable() {}

    /** The table's lines, without its head. */
    static List<String> lines(List<Row> rows) {
        Map<Row, Set<String>> phases = new LinkedHashMap<>();
        rows.forEach(row -> phases.computeIfAbsent(row.withoutPhase(), _ -> new LinkedHashSet<>())
                .add(row.phase()));
        Map<Row, Set<String>> policies = new LinkedHashMap<>();
        phases.forEach((row, of) -> policies.computeIfAbsent(
                        new Row(
                                        row.cause(),
                                        String.join(", ", of),
                                        row.policy(),
                                        row.seen(),
                                        row.bound(),
                                        row.reasons())
                                .withoutPolicy(),
                        _ -> new LinkedHashSet<>())
                .add(row.policy()));
        return policies.entrySet().stream()
                .map(line -> line(line.getKey(), line.getValue()))
                .toList();
    }

    private static String line(Row row, Set<String> policies) {
        String reasons = row.reasons().isEmpty()
                ? "–"
                : row.reasons().stream().distinct().collect(Collectors.joining("`, `", "`", "`"));
        return "| %s | %s | %s | %s | %s | %s |"
                .formatted(row.cause(), row.phase(), String.join(", ", policies), row.seen(), row.bound(), reasons);
    }

    /** The lines of the page's table under this heading. */
    static List<String> documented(String heading) {
        try {
            return Files.readAllLines(PAGE).stream()
                    .dropWhile(line -> !line.equals(heading))
                    .skip(1)
                    .takeWhile(line -> !line.startsWith("#"))
                    .filter(line -> line.startsWith("|"))
                    .skip(2) // head and rule
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1e3).replace(".0 s", " s");
    }
}
