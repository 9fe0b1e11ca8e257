package io.baton.gateway;

import io.baton.serving.Statuses;
import io.baton.serving.telemetry.GenAiMetrics;
import io.baton.serving.telemetry.Telemetry;
import io.opentelemetry.api.metrics.LongCounter;
import java.util.random.RandomGenerator;

/**
 * What the requests of one gateway share; all of it may be used by any thread.
 *
 * @param random draws seeds and request ids
 */
record GatewayParts(
        ServedModel model,
        PoolRouters routers,
        DecodeCalls decodeCalls,
        EffectiveSalt salt,
        RetryBudget retries,
        InFlight inFlight,
        Statuses statuses,
        Telemetry telemetry,
        GenAiMetrics metrics,
        LongCounter fallbacks,
        RandomGenerator random) {}
