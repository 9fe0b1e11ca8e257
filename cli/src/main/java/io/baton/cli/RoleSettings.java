package io.baton.cli;

import io.baton.decode.DecodeSettings;
import io.baton.gateway.GatewaySettings;
import io.baton.prefill.PrefillSettings;
import io.baton.serving.ListenSettings;
import io.baton.serving.Setting;
import io.baton.serving.TlsSettings;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which settings each role has. Two roles may have a setting of the same key; a process that runs both loads it for
 * each.
 */
final class RoleSettings {

    static final List<Setting<?>> PREFILL = joined(List.of(
            EngineSettings.SETTINGS,
            ListenSettings.SETTINGS,
            PrefillSettings.SETTINGS,
            TlsSettings.SETTINGS,
            ProcessSettings.SETTINGS));

    static final List<Setting<?>> DECODE = joined(List.of(
            EngineSettings.SETTINGS,
            ListenSettings.SETTINGS,
            DecodeSettings.SETTINGS,
            TlsSettings.SETTINGS,
            ProcessSettings.SETTINGS));

    static final List<Setting<?>> GATEWAY = joined(List.of(
            List.of(EngineSettings.MODEL),
            ListenSettings.SETTINGS,
            GatewaySettings.SETTINGS,
            TlsSettings.SETTINGS,
            ProcessSettings.SETTINGS));

    /** What a cluster in one process works out by itself. */
    private static final Set<String> WITHIN_A_PROCESS =
            Set.of("decode-nodes", "prefill-nodes", "advertise", "member-refresh");

    /** All that can be said about a cluster in one process; of settings with the same key, the first. */
    static final List<Setting<?>> LOCAL_CLUSTER = distinct(joined(List.of(DECODE, PREFILL, GATEWAY))).stream()
            .filter(setting -> !WITHIN_A_PROCESS.contains(setting.key()))
            .toList();

    /** What the demo can be told: its ports are its own affair. */
    static final List<Setting<?>> DEMO = LOCAL_CLUSTER.stream()
            .filter(setting -> !ListenSettings.SETTINGS.contains(setting) && !TlsSettings.SETTINGS.contains(setting))
            .toList();

    /** Every setting of any role: what a shared file or environment may hold. */
    static final List<Setting<?>> ANYWHERE = distinct(joined(List.of(DECODE, PREFILL, GATEWAY)));

    private RoleSettings() {}

    private static List<Setting<?>> joined(List<List<Setting<?>>> lists) {
        return lists.stream().<Setting<?>>flatMap(Collection::stream).toList();
    }

    private static List<Setting<?>> distinct(List<Setting<?>> settings) {
        Map<String, Setting<?>> byKey = new LinkedHashMap<>();
        settings.forEach(setting -> byKey.putIfAbsent(setting.key(), setting));
        return List.copyOf(byKey.values());
    }
}
