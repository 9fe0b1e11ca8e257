package io.baton.cli;

import io.baton.serving.Setting;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.TelemetrySettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** What every process that serves has: logs, telemetry, and how long it may take to stop. */
final class ProcessSettings {

    enum LogLevel {
        ERROR,
        WARN,
        INFO,
        DEBUG
    }

    enum LogFormat {
        LINE,
        JSON
    }

    static final Setting<Optional<LogLevel>> LOG_LEVEL = Setting.oneOf(
                    "log-level", LogLevel.class, "What is logged, on stderr; info unless given, warn in the demo")
            .optional();
    static final Setting<LogFormat> LOG_FORMAT = Setting.oneOf(
                    "log-format", LogFormat.class, "A line of text or of JSON per event")
            .withDefault("line");
    static final Setting<Duration> DRAIN_LIMIT = Setting.duration(
                    "drain-limit", "How long running requests may take to finish when the process is told to stop")
            .withDefault("30s");
    static final Setting<String> METRICS_HOST =
            Setting.text("metrics-host", "Address of the metrics endpoint").withDefault("127.0.0.1");
    static final Setting<Optional<Integer>> METRICS_PORT = Setting.integer(
                    "metrics-port", "Port of the metrics endpoint (Prometheus); none unless given")
            .checked(port -> port >= 0 && port <= 65535, "a port, 0 to 65535")
            .optional();
    static final Setting<Optional<String>> OTLP_ENDPOINT = Setting.text(
                    "otlp-endpoint",
                    "OTLP/gRPC receiver of traces and metrics, e.g. http://localhost:4317; none unless given")
            .optional();
    static final Setting<Double> OTLP_SAMPLE_RATIO = Setting.real(
                    "otlp-sample-ratio", "Share of new traces that are recorded")
            .checked(ratio -> ratio >= 0 && ratio <= 1, "a number from 0 to 1")
            .withDefault("1");

    static final List<Setting<?>> SETTINGS =
            List.of(LOG_LEVEL, LOG_FORMAT, DRAIN_LIMIT, METRICS_HOST, METRICS_PORT, OTLP_ENDPOINT, OTLP_SAMPLE_RATIO);

    private ProcessSettings() {}

    /** Must run before the first logger is made. */
    static void setUpLogging(Settings settings, LogLevel unlessGiven) {
        System.setProperty(
                "baton.log", settings.value(LOG_LEVEL).orElse(unlessGiven).name());
        if (settings.value(LOG_FORMAT) == LogFormat.JSON) {
            System.setProperty("baton.log.format", "json");
        }
    }

    /** For commands that print an answer: warnings only. Must run before the first logger is made. */
    static void quietLogging() {
        System.setProperty("baton.log", LogLevel.WARN.name());
    }

    /** @param service e.g. {@code baton-decode} */
    static TelemetrySettings telemetry(Settings settings, String service, String instance) {
        return new TelemetrySettings(
                service,
                instance,
                settings.value(OTLP_ENDPOINT),
                settings.value(OTLP_SAMPLE_RATIO),
                settings.value(METRICS_HOST),
                settings.value(METRICS_PORT).map(OptionalInt::of).orElseGet(OptionalInt::empty),
                Map.of());
    }
}
