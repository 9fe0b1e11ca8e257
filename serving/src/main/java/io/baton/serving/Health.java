package io.baton.serving;

import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import java.util.ArrayList;
import java.util.List;

/**
 * What probes hear: one status per gRPC service, {@code ""} and {@code readiness} for the whole process, and
 * {@code liveness}, which stays SERVING while the process drains, or it would be killed before it is done. Thread-safe.
 */
public final class Health {

    public static final String LIVENESS = "liveness";
    public static final String READINESS = "readiness";

    private final HealthStatusManager manager = new HealthStatusManager();
    private final List<String> names = new ArrayList<>(List.of("", READINESS));
    private boolean draining; // guarded by this

    Health(List<ServerServiceDefinition> services) {
        services.forEach(service -> names.add(service.getServiceDescriptor().getName()));
        manager.setStatus(LIVENESS, ServingStatus.SERVING);
        setAll(ServingStatus.SERVING);
    }

    BindableService service() {
        return manager.getHealthService();
    }

    /** Whether work can be taken at the moment, e.g. whether any node is known. Without effect once draining. */
    public synchronized void ready(boolean ready) {
        if (!draining) {
            setAll(ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
        }
    }

    /** NOT_SERVING for good, liveness excepted. */
    synchronized void drain() {
        draining = true;
        setAll(ServingStatus.NOT_SERVING);
    }

    private void setAll(ServingStatus status) {
        names.forEach(name -> manager.setStatus(name, status));
    }
}
