package io.baton.client;

/** @param cachedTokens prompt tokens whose KV was found in a prefix cache */
public record Usage(int promptTokens, int cachedTokens, int outputTokens) {}
