package io.baton.serving;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Reads configuration files as flat keys with line numbers. In YAML, nested mappings are joined with hyphens:
 * {@code tls: {trust: ca.pem}} is {@code tls-trust: ca.pem}.
 */
final class SettingsFile {

    private static final int MAX_CHARACTERS = 1 << 20;

    record Entry(String key, String value, int line) {}

    private SettingsFile() {}

    static List<Entry> read(Path path) {
        String text = content(path);
        String name = path.getFileName() == null ? "" : path.getFileName().toString();
        List<Entry> entries;
        if (name.endsWith(".yaml") || name.endsWith(".yml")) {
            entries = yaml(path, text);
        } else if (name.endsWith(".properties")) {
            entries = properties(path, text);
        } else {
            throw new SettingsException(
                    "configuration file " + path + ": expected a name ending in .yaml, .yml or .properties; rename it");
        }
        Map<String, Entry> first = new HashMap<>();
        for (Entry entry : entries) {
            Entry earlier = first.putIfAbsent(entry.key(), entry);
            if (earlier != null) {
                throw new SettingsException("file %s:%d: key %s was already given in line %d; keep one"
                        .formatted(path, entry.line(), entry.key(), earlier.line()));
            }
        }
        return entries;
    }

    private static String content(Path path) {
        try (Reader reader = Files.newBufferedReader(path)) {
            char[] buffer = new char[MAX_CHARACTERS + 1];
            int length = 0;
            for (int n; length < buffer.length && (n = reader.read(buffer, length, buffer.length - length)) >= 0; ) {
                length += n;
            }
            if (length > MAX_CHARACTERS) {
                throw new SettingsException(
                        "configuration file " + path + ": expected at most " + MAX_CHARACTERS + " characters");
            }
            return new String(buffer, 0, length);
        } catch (NoSuchFileException e) {
            throw new SettingsException(
                    "configuration file " + path + ": found no such file, expected YAML or properties; check --config",
                    e);
        } catch (IOException e) {
            throw new SettingsException("configuration file " + path + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<Entry> yaml(Path path, String text) {
        LoadSettings settings = LoadSettings.builder()
                .setLabel(path.toString())
                .setUseMarks(true)
                .build();
        try {
            List<Entry> entries = new ArrayList<>();
            new Compose(settings).composeString(text).ifPresent(root -> flatten(path, "", root, entries));
            return entries;
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0);
            throw new SettingsException(
                    "file %s:%d: found no valid YAML: %s; expected key: value".formatted(path, line, e.getProblem()),
                    e);
        } catch (YamlEngineException e) {
            throw new SettingsException("configuration file " + path + " is not valid YAML: " + e.getMessage(), e);
        }
    }

    private static void flatten(Path path, String prefix, Node node, List<Entry> entries) {
        if (!(node instanceof MappingNode mapping)) {
            throw new SettingsException(
                    "file %s:%d: expected a mapping of keys to values, key: value".formatted(path, line(node)));
        }
        for (NodeTuple tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
                throw new SettingsException(
                        "file %s:%d: expected a plain key".formatted(path, line(tuple.getKeyNode())));
            }
            String key = prefix + keyNode.getValue();
            switch (tuple.getValueNode()) {
                case ScalarNode scalar -> entries.add(new Entry(key, scalar.getValue(), line(keyNode)));
                case SequenceNode sequence -> entries.add(new Entry(key, joined(path, sequence), line(keyNode)));
                case Node nested -> flatten(path, key + "-", nested, entries);
            }
        }
    }

    private static String joined(Path path, SequenceNode sequence) {
        List<String> items = new ArrayList<>();
        for (Node item : sequence.getValue()) {
            if (!(item instanceof ScalarNode scalar) || scalar.getValue().contains(",")) {
                throw new SettingsException(
                        "file %s:%d: expected plain list items without commas".formatted(path, line(item)));
            }
            items.add(scalar.getValue());
        }
        return String.join(",", items);
    }

    private static int line(Node node) {
        return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
    }

    // java.util.Properties knows no line numbers; a configuration needs no continuation lines or escapes.
    private static List<Entry> properties(Path path, String text) {
        List<Entry> entries = new ArrayList<>();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            String stripped = line.strip();
            if (stripped.isEmpty() || stripped.startsWith("#") || stripped.startsWith("!")) {
                continue;
            }
            int equals = stripped.indexOf('=');
            if (equals < 1) {
                throw new SettingsException("file %s:%d: expected key=value".formatted(path, number));
            }
            String key = stripped.substring(0, equals).strip();
            entries.add(new Entry(key, stripped.substring(equals + 1).strip(), number));
        }
        return entries;
    }

    /** A YAML scalar that reads back as {@code text}. */
    static String scalar(String text) {
        boolean plain = !text.isEmpty()
                && text.chars().allMatch(c -> Character.isLetterOrDigit(c) || "_./+-".indexOf(c) >= 0)
                && !text.startsWith("-");
        return plain ? text : "\"" + escaped(text) + "\"";
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c == '"' || c == '\\') {
                escaped.append('\\').appendCodePoint(c);
            } else if (Character.isISOControl(c)) {
                escaped.append("\\u%04x".formatted(c));
            } else {
                escaped.appendCodePoint(c);
            }
        });
        return escaped.toString();
    }
}
