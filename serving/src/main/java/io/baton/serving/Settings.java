package io.baton.serving;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A service's configuration: defaults &lt; {@code --config} file &lt; environment ({@code BATON_…}) &lt; flags. Unknown
 * keys are errors. Immutable; every value has been parsed and checked when {@link Loader#load} returns.
 */
public final class Settings {

    private record Given(String text, SettingOrigin origin) {}

    private record Value(
            Setting<?> setting,
            @Nullable Object parsed,
            @Nullable Given given) {}

    // What Kubernetes puts into the environment of a pod beside a Service called "baton…". Not configuration.
    private static final Pattern SERVICE_LINK =
            Pattern.compile("BATON_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\\d+_(TCP|UDP|SCTP)(_.+)?)");
    private static final Pattern SERVICE_LINK_PORT = Pattern.compile("(tcp|udp|sctp)://.*");

    private final Map<String, Value> values;

    private Settings(Map<String, Value> values) {
        this.values = values;
    }

    /** Begins the loading of {@code known} settings; a key may occur once. */
    public static Loader of(List<Setting<?>> known) {
        return new Loader(known);
    }

    /** The defaults alone. */
    public static Settings defaults(List<Setting<?>> known) {
        return of(known).load();
    }

    /**
     * The value of a setting that was among the known ones; one that must be given and was not is a
     * {@link SettingsException}.
     */
    @SuppressWarnings("unchecked") // the parsed value came out of this very setting's parser
    public <T> T value(Setting<T> setting) {
        Value value = values.get(setting.key());
        if (value == null || value.setting() != setting) {
            throw new IllegalArgumentException("setting " + setting.key() + " was not declared when these were loaded");
        }
        if (value.parsed() == null) {
            throw new SettingsException("%s is missing: give --%s, %s or %s in the --config file"
                    .formatted(setting.key(), setting.key(), setting.environmentVariable(), setting.key()));
        }
        return (T) value.parsed();
    }

    /** Where the value came from. */
    public SettingOrigin origin(Setting<?> setting) {
        Value value = values.get(setting.key());
        return value == null || value.given() == null
                ? new SettingOrigin.Default()
                : value.given().origin();
    }

    /** Every value with its origin, as a YAML file that gives the same settings again; secrets are masked. */
    public String print() {
        StringBuilder text = new StringBuilder();
        for (Value value : values.values()) {
            Given given = value.given();
            String shown = given == null ? null : value.setting().isSecret() ? "(secret)" : given.text();
            String line = shown == null
                    ? "# " + value.setting().key() + ":"
                    : value.setting().key() + ": " + SettingsFile.scalar(shown);
            String origin = given == null ? "not set" : given.origin().toString();
            text.append("%-40s # %s%n".formatted(line, origin));
        }
        return text.toString();
    }

    /** Collects the layers; later calls win only within their own layer, the order of layers is fixed. */
    public static final class Loader {

        private final Map<String, Setting<?>> known = new LinkedHashMap<>();
        private final Set<String> elsewhere = new LinkedHashSet<>();
        private final Map<String, Given> file = new HashMap<>();
        private final Map<String, Given> environment = new HashMap<>();
        private final Map<String, Given> flags = new HashMap<>();

        private Loader(List<Setting<?>> settings) {
            for (Setting<?> setting : settings) {
                if (known.putIfAbsent(setting.key(), setting) != null) {
                    throw new IllegalArgumentException("setting " + setting.key() + " is declared twice");
                }
            }
        }

        /** Keys of other commands: allowed in file and environment, so that roles can share them, and not used here. */
        public Loader alsoAllow(Iterable<? extends Setting<?>> settings) {
            settings.forEach(setting -> elsewhere.add(setting.key()));
            return this;
        }

        /** Reads a YAML ({@code .yaml}, {@code .yml}) or properties file. */
        public Loader file(Path path) {
            for (SettingsFile.Entry entry : SettingsFile.read(path)) {
                SettingOrigin origin = new SettingOrigin.ConfigFile(path.toString(), entry.line());
                if (accepts(entry.key(), "key " + entry.key(), origin)) {
                    file.put(entry.key(), new Given(entry.value(), origin));
                }
            }
            return this;
        }

        /** Takes the {@code BATON_…} variables of an environment. An empty variable counts as not set. */
        public Loader environment(Map<String, String> variables) {
            variables.forEach((variable, text) -> {
                if (!variable.startsWith("BATON_") || text.isEmpty() || isServiceLink(variable, text)) {
                    return;
                }
                String key = variable.substring("BATON_".length())
                        .toLowerCase(Locale.ROOT)
                        .replace('_', '-');
                SettingOrigin origin = new SettingOrigin.Environment(variable);
                if (accepts(key, "environment variable " + variable, origin)) {
                    environment.put(key, new Given(text, origin));
                }
            });
            return this;
        }

        private static boolean isServiceLink(String variable, String text) {
            return SERVICE_LINK.matcher(variable).matches()
                    || (variable.endsWith("_PORT")
                            && SERVICE_LINK_PORT.matcher(text).matches());
        }

        /** One flag's value, by key. */
        public Loader flag(String key, String text) {
            SettingOrigin origin = new SettingOrigin.Flag("--" + key);
            if (accepts(key, "flag --" + key, origin)) {
                flags.put(key, new Given(text, origin));
            }
            return this;
        }

        public Loader flags(Map<String, String> textByKey) {
            textByKey.forEach(this::flag);
            return this;
        }

        private boolean accepts(String key, String named, SettingOrigin origin) {
            if (known.containsKey(key)) {
                return true;
            }
            if (elsewhere.contains(key) && !(origin instanceof SettingOrigin.Flag)) {
                return false;
            }
            String nearest = SettingText.nearest(key, known.keySet());
            String where = origin instanceof SettingOrigin.ConfigFile ? origin + ": " : "";
            String hint = nearest == null
                    ? "known keys are " + String.join(", ", known.keySet())
                    : "did you mean " + suggestion(nearest, origin) + "?";
            throw new SettingsException(where + "unknown " + named + "; " + hint);
        }

        private String suggestion(String key, SettingOrigin origin) {
            return switch (origin) {
                case SettingOrigin.Environment _ ->
                    "BATON_" + key.replace('-', '_').toUpperCase(Locale.ROOT);
                case SettingOrigin.Flag _ -> "--" + key;
                case SettingOrigin.ConfigFile _, SettingOrigin.Default _ -> key;
            };
        }

        public Settings load() {
            Map<String, Value> values = new LinkedHashMap<>();
            known.forEach((key, setting) -> values.put(key, parsed(setting, given(setting))));
            return new Settings(values);
        }

        private @Nullable Given given(Setting<?> setting) {
            for (Map<String, Given> layer : List.of(flags, environment, file)) {
                Given given = layer.get(setting.key());
                if (given != null) {
                    return given;
                }
            }
            return setting.defaultText()
                    .map(text -> new Given(text, new SettingOrigin.Default()))
                    .orElse(null);
        }

        private static Value parsed(Setting<?> setting, @Nullable Given given) {
            if (given == null) {
                Optional<?> absent = setting.absent();
                return new Value(setting, absent.isPresent() ? absent.get() : null, null);
            }
            try {
                return new Value(setting, setting.parse(given.text()), given);
            } catch (IllegalArgumentException e) {
                String found = setting.isSecret() ? "a value" : "\"" + given.text() + "\"";
                throw new SettingsException(
                        "%s (%s): %s, found %s".formatted(setting.key(), given.origin(), e.getMessage(), found), e);
            }
        }
    }
}
