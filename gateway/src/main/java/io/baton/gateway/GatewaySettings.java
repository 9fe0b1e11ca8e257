package io.baton.gateway;

import io.baton.routing.CostParameters;
import io.baton.serving.ListenSettings;
import io.baton.serving.Setting;
import io.baton.serving.Settings;
import io.baton.serving.SettingsException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One gateway.
 *
 * @param name what its logs and threads call it
 * @param listen where it listens
 * @param decodeNodes where decode nodes are, {@code host:port} each; a host name stands for every address it resolves
 *     to
 * @param prefillNodes likewise
 * @param memberRefresh how often host names are resolved again
 * @param maxInFlight requests at once; more are refused
 * @param maxInFlightPerTenant requests of one tenant at once
 * @param clusterKey secret behind the salts of block identities; the same on every gateway of a cluster
 * @param tenantHeader metadata key from which an authenticating proxy in front tells the tenant
 * @param sharingGroupHeader metadata key from which it tells which of the tenant's users share cached KV
 * @param costs what routing assumes where no node has measured yet, and what it weighs
 */
public record GatewaySettings(
        String name,
        ListenSettings listen,
        List<String> decodeNodes,
        List<String> prefillNodes,
        Duration memberRefresh,
        int maxInFlight,
        int maxInFlightPerTenant,
        Optional<String> clusterKey,
        Optional<String> tenantHeader,
        Optional<String> sharingGroupHeader,
        CostParameters costs) {

    private static final String NODES_EXPECTED = "HOST:PORT, comma-separated";
    private static final String HEADER = "[a-z0-9][a-z0-9._-]*";
    private static final int MIN_KEY_BYTES = 16;

    public static final Setting<List<String>> DECODE_NODES = Setting.list(
                    "decode-nodes", "Decode nodes, HOST:PORT each; a host name stands for every address it resolves to")
            .checked(nodes -> nodes.stream().allMatch(NodeAddress::isAddress), NODES_EXPECTED);
    public static final Setting<List<String>> PREFILL_NODES = Setting.list(
                    "prefill-nodes",
                    "Prefill nodes, HOST:PORT each; a host name stands for every address it resolves to")
            .checked(nodes -> nodes.stream().allMatch(NodeAddress::isAddress), NODES_EXPECTED);
    public static final Setting<Duration> MEMBER_REFRESH = Setting.duration(
                    "member-refresh", "How often the host names of nodes are resolved again")
            .checked(Duration::isPositive, "a positive duration")
            .withDefault("5s");
    public static final Setting<Integer> MAX_IN_FLIGHT = Setting.integer("max-in-flight", "Requests at once")
            .checked(n -> n >= 1, "at least 1")
            .withDefault("1024");
    public static final Setting<Optional<Integer>> MAX_IN_FLIGHT_PER_TENANT = Setting.integer(
                    "max-in-flight-per-tenant", "Requests of one tenant at once; as many as of all unless given")
            .checked(n -> n >= 1, "at least 1")
            .optional();
    public static final Setting<Optional<String>> CLUSTER_KEY = Setting.text(
                    "cluster-key",
                    "Secret of at least 16 bytes that separates cached KV by tenant and salt; the same on every gateway")
            .checked(GatewaySettings::isKey, "at least 16 bytes")
            .secret()
            .optional();
    public static final Setting<Optional<String>> TENANT_HEADER = Setting.text(
                    "tenant-header",
                    "Metadata key in which an authenticating proxy names the tenant; none unless given")
            .checked(key -> key.matches(HEADER), "a lower-case metadata key")
            .optional();
    public static final Setting<Optional<String>> SHARING_GROUP_HEADER = Setting.text(
                    "sharing-group-header", "Metadata key in which it names who shares cached KV within the tenant")
            .checked(key -> key.matches(HEADER), "a lower-case metadata key")
            .optional();

    /** Those of a gateway alone; where it listens has its own. */
    public static final List<Setting<?>> SETTINGS = List.of(
            DECODE_NODES,
            PREFILL_NODES,
            MEMBER_REFRESH,
            MAX_IN_FLIGHT,
            MAX_IN_FLIGHT_PER_TENANT,
            CLUSTER_KEY,
            TENANT_HEADER,
            SHARING_GROUP_HEADER);

    public GatewaySettings {
        decodeNodes = List.copyOf(decodeNodes);
        prefillNodes = List.copyOf(prefillNodes);
        if (decodeNodes.isEmpty()) {
            throw new SettingsException(
                    "decode-nodes: expected at least one HOST:PORT, found none; a gateway generates nothing itself");
        }
        decodeNodes.forEach(node -> requireAddress("decode-nodes", node));
        prefillNodes.forEach(node -> requireAddress("prefill-nodes", node));
        require(memberRefresh.isPositive(), "member-refresh", "a positive duration", memberRefresh);
        require(maxInFlight >= 1, "max-in-flight", "at least 1", maxInFlight);
        require(maxInFlightPerTenant >= 1, "max-in-flight-per-tenant", "at least 1", maxInFlightPerTenant);
        require(clusterKey.map(GatewaySettings::isKey).orElse(true), "cluster-key", "at least 16 bytes", "fewer");
    }

    /** As below, for the only gateway of a process. */
    public static GatewaySettings of(ListenSettings listen, List<String> decodeNodes, List<String> prefillNodes) {
        return of("gateway", listen, decodeNodes, prefillNodes);
    }

    /** The defaults with the given nodes. */
    public static GatewaySettings of(
            String name, ListenSettings listen, List<String> decodeNodes, List<String> prefillNodes) {
        int maxInFlight = Settings.defaults(List.of(MAX_IN_FLIGHT)).value(MAX_IN_FLIGHT);
        return new GatewaySettings(
                name,
                listen,
                decodeNodes,
                prefillNodes,
                Settings.defaults(List.of(MEMBER_REFRESH)).value(MEMBER_REFRESH),
                maxInFlight,
                maxInFlight,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                CostParameters.DEFAULT);
    }

    /** @param settings loaded with {@link #SETTINGS} among the known ones */
    public static GatewaySettings from(Settings settings, String name, ListenSettings listen) {
        int maxInFlight = settings.value(MAX_IN_FLIGHT);
        return new GatewaySettings(
                name,
                listen,
                settings.value(DECODE_NODES),
                settings.value(PREFILL_NODES),
                settings.value(MEMBER_REFRESH),
                maxInFlight,
                settings.value(MAX_IN_FLIGHT_PER_TENANT).orElse(maxInFlight),
                settings.value(CLUSTER_KEY),
                settings.value(TENANT_HEADER),
                settings.value(SHARING_GROUP_HEADER),
                CostParameters.DEFAULT);
    }

    public GatewaySettings withCosts(CostParameters parameters) {
        return new GatewaySettings(
                name,
                listen,
                decodeNodes,
                prefillNodes,
                memberRefresh,
                maxInFlight,
                maxInFlightPerTenant,
                clusterKey,
                tenantHeader,
                sharingGroupHeader,
                parameters);
    }

    private static boolean isKey(String key) {
        return key.getBytes(StandardCharsets.UTF_8).length >= MIN_KEY_BYTES;
    }

    private static void requireAddress(String key, String node) {
        require(NodeAddress.isAddress(node), key, "HOST:PORT", "\"" + node + "\"");
    }

    private static void require(boolean holds, String key, String expected, Object found) {
        if (!holds) {
            throw new SettingsException("%s: expected %s, found %s".formatted(key, expected, found));
        }
    }
}
