package io.baton.cli;

import io.baton.serving.Setting;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Settings as command line flags: one option each, and which of them were given. */
final class SettingOptions {

    private SettingOptions() {}

    /** Adds an option per setting. What is not given stays null, so that files and environment can say it. */
    static void add(CommandSpec command, List<Setting<?>> settings) {
        for (Setting<?> setting : settings) {
            OptionSpec.Builder option = OptionSpec.builder("--" + setting.key())
                    .type(setting.isPath() ? Path.class : String.class) // a shell completes the names of files
                    .description(escaped(description(setting)));
            if (setting.placeholder().isEmpty()) {
                option.arity("0..1")
                        .fallbackValue("true")
                        .paramLabel("true|false")
                        .hideParamSyntax(false);
            } else {
                option.arity("1").paramLabel(setting.placeholder());
                setting.choices().ifPresent(option::completionCandidates);
            }
            command.addOption(option.build());
        }
    }

    private static String description(Setting<?> setting) {
        return setting.defaultText()
                .filter(text -> !text.isEmpty() && !text.equals("false"))
                .map(text -> "%s (default: %s)".formatted(setting.description(), text))
                .orElse(setting.description());
    }

    private static String escaped(String text) {
        return text.replace("%", "%%"); // picocli formats descriptions
    }

    /** The text of every setting given on the command line, by key. */
    static Map<String, String> given(CommandSpec command, List<Setting<?>> settings) {
        Map<String, String> given = new LinkedHashMap<>();
        for (Setting<?> setting : settings) {
            OptionSpec option = command.findOption("--" + setting.key());
            Object value = option == null ? null : option.getValue();
            if (value != null) {
                given.put(setting.key(), value.toString());
            }
        }
        return given;
    }
}
