package io.baton.e2e.errors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A row of the table in {@code docs/errors.md}.
 *
 * @param what in words
 * @param command as a shell would take it; {@code {name}} stands for something of the {@link Scene}
 * @param status gRPC status, {@code –} when no call is involved
 * @param exit exit code, {@code –} when no command of ours is involved
 * @param message all of it; {@code {name}} likewise, and a few names for what differs from run to run
 */
record ErrorRow(String what, String command, String status, String exit, String message) {

    static final String NONE = "–";

    private static final String FIRST_COLUMN = "| What |";
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z][a-z0-9._-]*)}");

    /** The rows of the one table whose first column is called "What". */
    static List<ErrorRow> read(Path document) throws IOException {
        List<ErrorRow> rows = new ArrayList<>();
        boolean inTable = false;
        for (String line : Files.readAllLines(document)) {
            boolean header = line.startsWith(FIRST_COLUMN);
            inTable = header || (inTable && line.startsWith("|"));
            if (inTable && !header && !line.startsWith("|--")) {
                rows.add(of(line));
            }
        }
        return rows;
    }

    private static ErrorRow of(String line) {
        String[] cells = line.strip().split("(?<!\\\\)\\|", -1);
        if (cells.length != 7) {
            throw new IllegalArgumentException("expected five columns, found " + (cells.length - 2) + ": " + line);
        }
        return new ErrorRow(text(cells[1]), code(cells[2]), text(cells[3]), text(cells[4]), code(cells[5]));
    }

    private static String text(String cell) {
        return cell.strip().replace("\\|", "|");
    }

    private static String code(String cell) {
        String text = text(cell);
        if (text.length() < 3 || text.charAt(0) != '`' || text.charAt(text.length() - 1) != '`') {
            throw new IllegalArgumentException("expected `code`, found " + text);
        }
        return text.substring(1, text.length() - 1);
    }

    /** The names in command and message. */
    List<String> names() {
        return PLACEHOLDER
                .matcher(command + message)
                .results()
                .map(found -> found.group(1))
                .distinct()
                .toList();
    }

    /** The command with what the names stand for. */
    String resolvedCommand(UnaryOperator<String> names) {
        return PLACEHOLDER.matcher(command).replaceAll(found -> Matcher.quoteReplacement(names.apply(found.group(1))));
    }

    /** What the whole message must match. */
    Pattern expected(UnaryOperator<String> names) {
        StringBuilder pattern = new StringBuilder();
        Matcher matcher = PLACEHOLDER.matcher(message);
        int end = 0;
        while (matcher.find()) {
            pattern.append(Pattern.quote(message.substring(end, matcher.start())));
            pattern.append(
                    switch (matcher.group(1)) {
                        case "number" -> "[0-9][0-9,.]*";
                        case "size" -> "[0-9][0-9,]* [KM]iB";
                        case "digest" -> "[0-9a-f]{64}";
                        case "source" -> "[^()]+";
                        case "reason" -> ".+";
                        case String name -> Pattern.quote(names.apply(name));
                    });
            end = matcher.end();
        }
        return Pattern.compile(
                pattern.append(Pattern.quote(message.substring(end))).toString());
    }

    @Override
    public String toString() {
        return what;
    }
}
