package io.baton.client;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the time to the first token went, each part by its exposed share. The parts and the remainder sum to the total.
 */
public record TtftParts(
        Duration total,
        Duration gateway,
        Duration route,
        Duration decodeAdmission,
        Duration prefillQueue,
        Duration prefixFetch,
        Duration prefillCompute,
        Duration exposedTransfer,
        Duration firstStep,
        Duration unattributed) {

    /** Everything but the total, by name, in the order of a request's life. */
    public Map<String, Duration> byName() {
        Map<String, Duration> parts = new LinkedHashMap<>();
        parts.put("gateway", gateway);
        parts.put("route", route);
        parts.put("decodeAdmission", decodeAdmission);
        parts.put("prefillQueue", prefillQueue);
        parts.put("prefixFetch", prefixFetch);
        parts.put("prefillCompute", prefillCompute);
        parts.put("exposedTransfer", exposedTransfer);
        parts.put("firstStep", firstStep);
        parts.put("unattributed", unattributed);
        return parts;
    }
}
