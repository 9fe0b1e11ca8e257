package io.baton.gateway;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.Security;
import java.util.List;

/** How a host name becomes addresses. */
@FunctionalInterface
interface Resolver {

    List<InetAddress> addresses(String host) throws UnknownHostException;

    /**
     * The JVM's own. It caches answers for 30 s by default, which would make every poll in between pointless: the cache
     * is shortened unless somebody set it.
     */
    static Resolver ofJvm() {
        for (String property : List.of("networkaddress.cache.ttl", "networkaddress.cache.negative.ttl")) {
            String set = Security.getProperty(property);
            if (set == null || set.equals("10")) { // 10 is the negative cache's stock value
                Security.setProperty(property, "1");
            }
        }
        return host -> List.of(InetAddress.getAllByName(host));
    }
}
