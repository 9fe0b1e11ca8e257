package io.baton.cli;

import io.baton.serving.Setting;
import io.baton.serving.Settings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The layers of a process's configuration, from which each role in it loads its own settings.
 *
 * @param flags text by key
 */
record Configuration(Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {

    Configuration {
        environment = Map.copyOf(environment);
        flags = Map.copyOf(flags);
    }

    /** This configuration with further flags, which win over its own. */
    Configuration with(Map<String, String> further) {
        Map<String, String> all = new HashMap<>(flags);
        all.putAll(further);
        return new Configuration(file, environment, all);
    }

    /** The values of {@code known}; keys of other roles in file and environment are left to those. */
    Settings load(List<Setting<?>> known) {
        Settings.Loader loader =
                Settings.of(known).alsoAllow(RoleSettings.ANYWHERE).environment(environment);
        file.ifPresent(loader::file);
        Set<String> keys = known.stream().map(Setting::key).collect(Collectors.toSet());
        flags.forEach((key, text) -> {
            if (keys.contains(key)) {
                loader.flag(key, text);
            }
        });
        return loader.load();
    }
}
