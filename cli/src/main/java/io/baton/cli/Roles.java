package io.baton.cli;

import io.baton.decode.DecodeNode;
import io.baton.decode.DecodeSettings;
import io.baton.engine.EngineHost;
import io.baton.gateway.GatewayNode;
import io.baton.gateway.GatewaySettings;
import io.baton.gateway.ServedModel;
import io.baton.prefill.PrefillNode;
import io.baton.prefill.PrefillSettings;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.text.Tokenizer;

/** Starts nodes from settings: the one place that knows what each needs. */
final class Roles {

    private Roles() {}

    /** @param settings loaded with {@link RoleSettings#PREFILL} */
    static PrefillNode prefill(
            Settings settings, String name, ListenSettings listen, EngineHost host, Telemetry telemetry) {
        PrefillSettings prefill = PrefillSettings.from(settings, name, listen, EngineSettings.engine(settings));
        return PrefillNode.start(prefill, host, telemetry);
    }

    /** @param settings loaded with {@link RoleSettings#DECODE} */
    static DecodeNode decode(
            Settings settings,
            String name,
            ListenSettings listen,
            EngineHost host,
            Tokenizer tokenizer,
            Telemetry telemetry) {
        DecodeSettings decode = DecodeSettings.from(settings, name, listen, EngineSettings.engine(settings));
        return DecodeNode.start(decode, host, tokenizer, telemetry);
    }

    /** @param settings loaded with {@link RoleSettings#GATEWAY} */
    static GatewayNode gateway(Settings settings, ListenSettings listen, ServedModel model, Telemetry telemetry) {
        return GatewayNode.start(GatewaySettings.from(settings, "gateway", listen), model, telemetry);
    }
}
