package io.baton.gateway;

import java.net.InetAddress;
import java.util.regex.Pattern;

/**
 * Where nodes are to be found.
 *
 * @param host a name or a literal address; IPv6 without brackets
 */
record NodeAddress(String host, int port) {

    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

    /** Reads {@code host:port} or {@code [ipv6]:port}; throws {@link IllegalArgumentException} for anything else. */
    static NodeAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 1 ? "" : text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (host.isEmpty()
                || (host.contains(":") && !bracketed)
                || !text.substring(colon + 1).matches("\\d{1,5}")) {
            throw new IllegalArgumentException("expected host:port, found \"" + text + "\"");
        }
        int port = Integer.parseInt(text.substring(colon + 1));
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("expected a port from 1 to 65535 in \"" + text + "\"");
        }
        return new NodeAddress(bracketed ? host.substring(1, host.length() - 1) : host, port);
    }

    static boolean isAddress(String text) {
        try {
            parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    static NodeAddress of(InetAddress address, int port) {
        return new NodeAddress(address.getHostAddress(), port);
    }

    /** Whether this is one node; a name stands for whatever it resolves to. */
    boolean isLiteral() {
        return host.equals("localhost")
                || host.contains(":")
                || IPV4.matcher(host).matches();
    }

    /** As it is dialled, and as nodes are named everywhere. */
    @Override
    public String toString() {
        return host.contains(":") ? "[%s]:%d".formatted(host, port) : host + ":" + port;
    }
}
