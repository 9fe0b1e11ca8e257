package io.baton.gateway;

import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * What a gateway takes from the world.
 *
 * @param clock for heartbeats and decisions
 * @param nanos for durations
 * @param random for seeds, request ids and jitter; used by any thread
 */
record GatewayEnvironment(InstantSource clock, LongSupplier nanos, RandomGenerator random, Resolver resolver) {

    static GatewayEnvironment ofSystem() {
        return new GatewayEnvironment(InstantSource.system(), System::nanoTime, new SecureRandom(), Resolver.ofJvm());
    }
}
