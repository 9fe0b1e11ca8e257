package io.baton.prefill;

import io.baton.engine.EngineOptions;
import io.baton.serving.ListenSettings;
import io.baton.serving.Setting;
import io.baton.serving.Settings;
import io.baton.serving.SettingsException;
import java.util.List;

/**
 * One prefill node.
 *
 * @param name what logs call this node; several in one process have different ones
 * @param listen where it listens
 * @param maxStreams prefills accepted at once, queued ones included; more are refused before anything is reserved
 * @param senderThreads threads that copy blocks out of the pool and into connections
 * @param engine the node's engine
 */
public record PrefillSettings(
        String name, ListenSettings listen, int maxStreams, int senderThreads, EngineOptions engine) {

    public static final Setting<Integer> MAX_STREAMS = Setting.integer(
                    "max-prefill-streams", "Prefills accepted at once, queued ones included")
            .checked(n -> n >= 1, "at least 1")
            .withDefault("64");
    public static final Setting<Integer> SENDER_THREADS = Setting.integer(
                    "sender-threads", "Threads that copy blocks out of the pool and into connections")
            .checked(n -> n >= 1, "at least 1")
            .withDefault("2");

    /** Those of a prefill node alone; where it listens and its engine have their own. */
    public static final List<Setting<?>> SETTINGS = List.of(MAX_STREAMS, SENDER_THREADS);

    public PrefillSettings {
        require(maxStreams >= 1, "max-prefill-streams", "at least 1", maxStreams);
        require(senderThreads >= 1, "sender-threads", "at least 1", senderThreads);
    }

    /** The defaults, listening and computing as told. */
    public static PrefillSettings of(String name, ListenSettings listen, EngineOptions engine) {
        return from(Settings.defaults(SETTINGS), name, listen, engine);
    }

    /** @param settings loaded with {@link #SETTINGS} among the known ones */
    public static PrefillSettings from(Settings settings, String name, ListenSettings listen, EngineOptions engine) {
        return new PrefillSettings(name, listen, settings.value(MAX_STREAMS), settings.value(SENDER_THREADS), engine);
    }

    public PrefillSettings withMaxStreams(int streams) {
        return new PrefillSettings(name, listen, streams, senderThreads, engine);
    }

    private static void require(boolean holds, String key, String expected, Object found) {
        if (!holds) {
            throw new SettingsException("%s: expected %s, found %s".formatted(key, expected, found));
        }
    }
}
