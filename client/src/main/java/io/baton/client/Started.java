package io.baton.client;

import java.util.List;

/**
 * The gateway has accepted the request.
 *
 * @param seed the seed in use
 * @param promptTokenIds the prompt as the model sees it
 */
public record Started(String requestId, String model, long seed, List<Integer> promptTokenIds) {
    public Started {
        promptTokenIds = List.copyOf(promptTokenIds);
    }
}
