package io.baton.gateway;

import io.baton.serving.PeerRole;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The host names among the nodes' addresses, and the addresses they last resolved to. An empty or failed answer changes
 * nothing: a DNS outage takes no node away. Answers are confined to the cluster thread; {@link #resolve} may block and
 * is for any other.
 */
final class NodeNames {

    /** An answer worth knowing: at least one address. */
    record Answer(NodeAddress name, PeerRole role, List<String> addresses) {}

    private final Resolver resolver;
    private final Map<NodeAddress, PeerRole> names;
    private final Map<NodeAddress, Set<String>> answers = new LinkedHashMap<>();

    NodeNames(GatewaySettings settings, Resolver resolver) {
        Map<NodeAddress, PeerRole> found = new LinkedHashMap<>();
        addNames(settings.prefillNodes(), PeerRole.PREFILL, found);
        addNames(settings.decodeNodes(), PeerRole.DECODE, found);
        this.names = Map.copyOf(found);
        this.resolver = resolver;
    }

    private static void addNames(List<String> nodes, PeerRole role, Map<NodeAddress, PeerRole> found) {
        nodes.stream()
                .map(NodeAddress::parse)
                .filter(address -> !address.isLiteral())
                .forEach(address -> found.put(address, role));
    }

    Set<NodeAddress> names() {
        return names.keySet();
    }

    /** Asks DNS; the answer has no addresses when there is none. */
    Answer resolve(NodeAddress name) {
        PeerRole role = names.getOrDefault(name, PeerRole.DECODE);
        try {
            return new Answer(
                    name,
                    role,
                    resolver.addresses(name.host()).stream()
                            .map((InetAddress address) ->
                                    NodeAddress.of(address, name.port()).toString())
                            .toList());
        } catch (UnknownHostException e) {
            return new Answer(name, role, List.of());
        }
    }

    void learn(Answer answer) {
        if (!answer.addresses().isEmpty()) {
            answers.put(answer.name(), new HashSet<>(answer.addresses()));
        }
    }

    /** Whether any name's last answer has the address. */
    boolean mention(String address) {
        return answers.values().stream().anyMatch(addresses -> addresses.contains(address));
    }
}
