package io.baton.decode;

import io.baton.engine.EngineOptions;
import io.baton.routing.CostParameters;
import io.baton.serving.ListenSettings;
import io.baton.serving.Setting;
import io.baton.serving.Settings;
import io.baton.serving.SettingsException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One decode node.
 *
 * @param name what logs call this node; several in one process have different ones
 * @param listen where it listens
 * @param advertise how others name this node, as {@code host:port}; empty means where it listens
 * @param prefillNodes prefill nodes it may dial, as {@code host:port}; each host name also stands for what it resolves
 *     to
 * @param prefillAttempts prefill nodes asked for one request at most, 1 to 3
 * @param maxKvStreams prefill streams open at once; each pins at most its channel's stream window
 * @param maxBufferedEvents token events that may wait for a slow gateway before its sequence is cancelled
 * @param memberRefresh how often host names are resolved again
 * @param engine the node's engine
 * @param costs what the choice between local and remote prefill assumes and weighs
 */
public record DecodeSettings(
        String name,
        ListenSettings listen,
        Optional<String> advertise,
        List<String> prefillNodes,
        int prefillAttempts,
        int maxKvStreams,
        int maxBufferedEvents,
        Duration memberRefresh,
        EngineOptions engine,
        CostParameters costs) {

    public static final Setting<List<String>> PREFILL_NODES =
            Setting.list("prefill-nodes", "Prefill nodes this decode node may dial, HOST:PORT each");
    public static final Setting<Integer> PREFILL_ATTEMPTS = Setting.integer(
                    "prefill-attempts", "Prefill nodes asked for one request at most")
            .checked(n -> n >= 1 && n <= 3, "1 to 3")
            .withDefault("3");
    public static final Setting<Integer> MAX_KV_STREAMS = Setting.integer(
                    "max-kv-streams", "Prefill streams open at once")
            .checked(n -> n >= 1, "at least 1")
            .withDefault("64");
    public static final Setting<Integer> MAX_BUFFERED_EVENTS = Setting.integer(
                    "max-buffered-events", "Token events that may wait for a slow gateway")
            .checked(n -> n >= 1, "at least 1")
            .withDefault("1024");
    public static final Setting<Duration> MEMBER_REFRESH = Setting.duration(
                    "member-refresh", "How often the host names of prefill nodes are resolved again")
            .withDefault("5s");
    public static final Setting<Optional<String>> ADVERTISE = Setting.text(
                    "advertise", "How other nodes name this one, HOST:PORT; where it listens unless given")
            .checked(PrefillMembers::isAddress, "HOST:PORT")
            .optional();

    /** Those of a decode node alone; where it listens and its engine have their own. */
    public static final List<Setting<?>> SETTINGS =
            List.of(PREFILL_NODES, PREFILL_ATTEMPTS, MAX_KV_STREAMS, MAX_BUFFERED_EVENTS, MEMBER_REFRESH, ADVERTISE);

    public DecodeSettings {
        prefillNodes = List.copyOf(prefillNodes);
        for (String node : prefillNodes) {
            require(PrefillMembers.isAddress(node), "prefill-nodes", "HOST:PORT", node);
        }
        require(prefillAttempts >= 1 && prefillAttempts <= 3, "prefill-attempts", "1 to 3", prefillAttempts);
        require(maxKvStreams >= 1, "max-kv-streams", "at least 1", maxKvStreams);
        require(maxBufferedEvents >= 1, "max-buffered-events", "at least 1", maxBufferedEvents);
        require(memberRefresh.isPositive(), "member-refresh", "a positive duration", memberRefresh);
    }

    /** The defaults with the given prefill nodes, listening and computing as told. */
    public static DecodeSettings of(
            String name, ListenSettings listen, EngineOptions engine, List<String> prefillNodes) {
        Settings defaults = Settings.defaults(SETTINGS);
        return from(defaults, name, listen, engine).withPrefillNodes(prefillNodes);
    }

    /** @param settings loaded with {@link #SETTINGS} among the known ones */
    public static DecodeSettings from(Settings settings, String name, ListenSettings listen, EngineOptions engine) {
        return new DecodeSettings(
                name,
                listen,
                settings.value(ADVERTISE),
                settings.value(PREFILL_NODES),
                settings.value(PREFILL_ATTEMPTS),
                settings.value(MAX_KV_STREAMS),
                settings.value(MAX_BUFFERED_EVENTS),
                settings.value(MEMBER_REFRESH),
                engine,
                CostParameters.DEFAULT);
    }

    public DecodeSettings withPrefillNodes(List<String> nodes) {
        return new DecodeSettings(
                name,
                listen,
                advertise,
                nodes,
                prefillAttempts,
                maxKvStreams,
                maxBufferedEvents,
                memberRefresh,
                engine,
                costs);
    }

    public DecodeSettings withMaxKvStreams(int streams) {
        return new DecodeSettings(
                name,
                listen,
                advertise,
                prefillNodes,
                prefillAttempts,
                streams,
                maxBufferedEvents,
                memberRefresh,
                engine,
                costs);
    }

    public DecodeSettings withMaxBufferedEvents(int events) {
        return new DecodeSettings(
                name,
                listen,
                advertise,
                prefillNodes,
                prefillAttempts,
                maxKvStreams,
                events,
                memberRefresh,
                engine,
                costs);
    }

    /** How routes name this node when it listens on {@code port}. */
    String address(int port) {
        return advertise.orElse(listen.host() + ":" + port);
    }

    private static void require(boolean holds, String key, String expected, Object found) {
        if (!holds) {
            throw new SettingsException("%s: expected %s, found %s".formatted(key, expected, found));
        }
    }
}
