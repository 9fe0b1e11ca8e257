package io.baton.serving;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.util.logging.LogManager;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * Logging as Baton sets it up wherever this module is on the class path: one line per event on stderr,
 * java.util.logging (gRPC's) included. {@code -Dbaton.log=debug} sets the level, {@code -Dbaton.log.format=json} prints
 * JSON, and {@code -Dlogback.configurationFile=…} replaces all of it. Called by logback.
 */
public final class Logging extends ContextAwareBase implements Configurator {

    private static final String PATTERN = "%d{HH:mm:ss.SSS} %-5level [%thread] %logger{0} - %msg%n%ex{6}";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        if (System.getProperty("logback.configurationFile") != null) {
            return ExecutionStatus.INVOKE_NEXT_IF_ANY;
        }
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setContext(context);
        console.setName("console");
        console.setTarget("System.err"); // stdout is for results
        console.setEncoder(encoder(context));
        console.start();

        ch.qos.logback.classic.Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.toLevel(System.getProperty("baton.log"), Level.INFO));
        root.addAppender(console);
        context.getLogger("io.grpc").setLevel(Level.WARN);
        // Repeats, with a stack trace, what the call's own status says.
        context.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerStream")
                .setLevel(Level.ERROR);
        // Warns of every stream that a peer resets while bytes are queued, as each cancelled transfer does.
        context.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerHandler")
                .setLevel(Level.ERROR);

        LogManager.getLogManager().reset();
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context) {
        if ("json".equals(System.getProperty("baton.log.format"))) {
            JsonEncoder json = new JsonEncoder();
            json.setContext(context);
            json.start();
            return json;
        }
        PatternLayoutEncoder line = new PatternLayoutEncoder();
        line.setContext(context);
        line.setPattern(PATTERN);
        line.start();
        return line;
    }
}
