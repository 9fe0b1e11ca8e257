package io.baton.serving;

import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Under mutual TLS, lets a service be called only by peers whose certificate names one of the roles that may. Without
 * mutual TLS there is nothing to check: such listeners are loopback, or were declared insecure.
 */
final class RoleGuard implements ServerInterceptor {

    private static final int DNS_NAME = 2; // GeneralName type in a subject alternative name

    private final TlsSettings tls;
    private final Map<String, Set<PeerRole>> callersByService;

    RoleGuard(TlsSettings tls, Map<String, Set<PeerRole>> callersByService) {
        this.tls = tls;
        this.callersByService = Map.copyOf(callersByService);
    }

    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
            ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
        String service = call.getMethodDescriptor().getServiceName();
        Set<PeerRole> callers = service == null ? Set.of() : callersByService.getOrDefault(service, Set.of());
        if (tls.isMutual() && !callers.isEmpty()) {
            SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
            Set<String> names = session == null ? Set.of() : dnsNames(session);
            if (callers.stream().map(tls::peerName).noneMatch(names::contains)) {
                String expected = callers.stream().map(tls::peerName).sorted().collect(Collectors.joining(" or "));
                call.close(
                        Status.PERMISSION_DENIED.withDescription("%s may be called by %s; this certificate names %s"
                                .formatted(service, expected, names.isEmpty() ? "nobody" : String.join(", ", names))),
                        new Metadata());
                return new ServerCall.Listener<>() {};
            }
        }
        return next.startCall(call, headers);
    }

    private static Set<String> dnsNames(SSLSession session) {
        try {
            Certificate[] chain = session.getPeerCertificates();
            if (chain.length == 0 || !(chain[0] instanceof X509Certificate certificate)) {
                return Set.of();
            }
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null
                    ? Set.of()
                    : names.stream()
                            .filter(name -> name.get(0).equals(DNS_NAME))
                            .map(name -> (String) name.get(1))
                            .collect(Collectors.toUnmodifiableSet());
        } catch (SSLPeerUnverifiedException | CertificateParsingException e) {
            return Set.of(); // no name that could be trusted
        }
    }
}
