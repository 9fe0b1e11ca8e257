package io.baton.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.GenerateRequest;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GenerateSpecTest {

    @Test
    void everyFieldOfTheSpecReachesTheGateway() throws Exception {
        GenerateSpec spec = GenerateSpec.tokens(List.of(1, 2))
                .model("stories")
                .sampling(SamplingSpec.greedy()
                        .withTemperature(0.5f)
                        .withTopK(40)
                        .withTopP(0.9f)
                        .withMinP(0.1f)
                        .withTypicalP(0.8f)
                        .withPenalties(1.1f, 0.2f, 0.3f)
                        .withLogitBias(Map.of(5, -1f)))
                .seed(42)
                .maxTokens(8)
                .stopStrings(List.of("\n"))
                .stopTokens(List.of(3))
                .ignoreEos(true)
                .logprobs(2)
                .emittedTokens(List.of(9))
                .cacheSalt("salt")
                .prefillMode(PrefillMode.REMOTE)
                .fallback(Fallback.FAIL)
                .choices(2)
                .firstChoice(3)
                .priority(1)
                .build();
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {});
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(spec)) {
            GenerateRequest request = gateway.request.get(20, TimeUnit.SECONDS);
            assertThat(request.getTokenIds().getIdsList()).containsExactly(1, 2);
            assertThat(request.getModel()).isEqualTo("stories");
            assertThat(request.getSampling().toString().lines())
                    .contains("temperature: 0.5", "top_k: 40", "top_p: 0.9", "min_p: 0.1", "typical_p: 0.8")
                    .contains("repetition_penalty: 1.1", "presence_penalty: 0.2", "frequency_penalty: 0.3");
            assertThat(request.getSampling().getLogitBiasMap()).containsExactly(Map.entry(5, -1f));
            assertThat(request.getSeed()).isEqualTo(42);
            assertThat(request.getStop().getMaxTokens()).isEqualTo(8);
            assertThat(request.getStop().getStringsList()).containsExactly("\n");
            assertThat(request.getStop().getTokenIdsList()).containsExactly(3);
            assertThat(request.getStop().getIgnoreEos()).isTrue();
            assertThat(request.getLogprobs()).isEqualTo(2);
            assertThat(request.getEmittedTokenIdsList()).containsExactly(9);
            assertThat(request.getCacheSalt()).isEqualTo("salt");
            assertThat(request.getPrefillMode()).isEqualTo(io.baton.proto.v1.PrefillMode.PREFILL_MODE_REMOTE);
            assertThat(request.getFallbackPolicy()).isEqualTo(io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_FAIL);
            assertThat(request.getChoices()).isEqualTo(2);
            assertThat(request.getFirstChoice()).isEqualTo(3);
            assertThat(request.getPriority()).isEqualTo(1);
            generation.cancel();
        }
    }

    @Test
    void whatIsNotAskedForIsLeftUnset() {
        GenerateRequest request = Messages.request(GenerateSpec.text("Once").build());
        assertThat(request.hasSeed()).isFalse();
        assertThat(request.hasLogprobs()).isFalse();
        assertThat(request.getSampling().hasTopP()).isFalse();
        assertThat(request.getSampling().hasTypicalP()).isFalse();
        assertThat(request.getSampling().hasRepetitionPenalty()).isFalse();
        assertThat(request.getText()).isEqualTo("Once");
        GenerateRequest chat = Messages.request(
                GenerateSpec.chat(List.of(new Prompt.Message("user", "hi"))).build());
        assertThat(chat.getChat().getMessages(0).getContent()).isEqualTo("hi");
    }
}
