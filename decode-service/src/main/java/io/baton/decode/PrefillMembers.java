package io.baton.decode;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The prefill nodes this node may dial: the addresses it was given, and what their host names resolve to (the pods
 * behind a headless service). A request can rank these; it cannot name others. Resolving only adds: an empty or failed
 * answer changes nothing, and an address that answers leave out stays for a while, so that a DNS hiccup takes no node
 * away. Thread-safe.
 */
final class PrefillMembers {

    /** How a host name becomes addresses. */
    @FunctionalInterface
    interface Resolver {
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    /** How long an address that DNS no longer names may still be dialled. */
    static final Duration GRACE = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(PrefillMembers.class);

    private record Named(String host, int port) {}

    private final Set<String> given;
    private final List<Named> names;
    private final Resolver resolver;
    private final LongSupplier nanos;
    private final Map<Named, Map<String, Long>> resolved = new HashMap<>(); // host:port to when; guarded by this

    /** @param addresses {@code host:port} each */
    PrefillMembers(List<String> addresses, Resolver resolver, LongSupplier nanos) {
        this.given = Set.copyOf(addresses);
        this.names = given.stream().map(PrefillMembers::named).toList();
        this.resolver = resolver;
        this.nanos = nanos;
    }

    /** Whether {@code node}, as {@code host:port}, may be dialled. */
    boolean contains(String node) {
        synchronized (this) {
            return given.contains(node)
                    || resolved.values().stream().anyMatch(addresses -> addresses.containsKey(node));
        }
    }

    boolean isEmpty() {
        return given.isEmpty();
    }

    /** Asks DNS again; blocks while it does. Returns the addresses that have left. */
    List<String> refresh() {
        List<String> left = new ArrayList<>();
        for (Named name : names) {
            try {
                InetAddress[] answer = resolver.addresses(name.host());
                if (answer.length > 0) {
                    left.addAll(take(name, answer));
                }
            } catch (UnknownHostException e) {
                LOG.warn("prefill node {} cannot be resolved now: {}", name.host(), e.getMessage());
            }
        }
        return left;
    }

    private synchronized List<String> take(Named name, InetAddress[] answer) {
        long now = nanos.getAsLong();
        Map<String, Long> addresses = resolved.computeIfAbsent(name, _ -> new HashMap<>());
        for (InetAddress address : answer) {
            addresses.put(address.getHostAddress() + ":" + name.port(), now);
        }
        List<String> left = addresses.entrySet().stream()
                .filter(address -> now - address.getValue() > GRACE.toNanos())
                .map(Map.Entry::getKey)
                .toList();
        left.forEach(addresses::remove);
        return left;
    }

    static boolean isAddress(String address) {
        int colon = address.lastIndexOf(':');
        if (colon < 1) {
            return false;
        }
        try {
            int port = Integer.parseInt(address.substring(colon + 1));
            return port > 0 && port <= 65535;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static Named named(String address) {
        int colon = address.lastIndexOf(':');
        return new Named(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    }
}
