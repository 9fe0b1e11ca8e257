package io.baton.serving;

import java.util.List;
import java.util.Optional;

/**
 * Where a service listens.
 *
 * @param host address or name to bind; loopback unless TLS is set up or insecure is given
 * @param port 0 picks a free one
 * @param healthPort plaintext port for grpc.health.v1 alone, for probes; 0 picks a free one
 */
public record ListenSettings(String host, int port, Optional<Integer> healthPort, TlsSettings tls) {

    public static final Setting<String> HOST =
            Setting.text("host", "Address to listen on").withDefault("127.0.0.1");
    public static final Setting<Integer> PORT = Setting.integer("port", "Port to listen on; 0 picks a free one")
            .checked(ListenSettings::isPort, "a port, 0 to 65535")
            .withDefault("0");
    public static final Setting<Optional<Integer>> HEALTH_PORT = Setting.integer(
                    "health-port", "Plaintext port that serves only grpc.health.v1, for probes; 0 picks a free one")
            .checked(ListenSettings::isPort, "a port, 0 to 65535")
            .optional();

    /** Without those of {@link TlsSettings}. */
    public static final List<Setting<?>> SETTINGS = List.of(HOST, PORT, HEALTH_PORT);

    public ListenSettings {
        if (!isPort(port) || !healthPort.map(ListenSettings::isPort).orElse(true)) {
            throw new SettingsException("expected ports from 0 to 65535, found port %d and health-port %s"
                    .formatted(port, healthPort.map(String::valueOf).orElse("unset")));
        }
    }

    /** A free port of loopback, in plaintext. */
    public static ListenSettings loopback() {
        return new ListenSettings("127.0.0.1", 0, Optional.empty(), TlsSettings.plaintext());
    }

    public static ListenSettings from(Settings settings) {
        return new ListenSettings(
                settings.value(HOST), settings.value(PORT), settings.value(HEALTH_PORT), TlsSettings.from(settings));
    }

    private static boolean isPort(int port) {
        return port >= 0 && port <= 65535;
    }
}
