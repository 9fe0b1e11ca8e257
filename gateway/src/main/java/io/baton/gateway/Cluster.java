package io.baton.gateway;

import io.baton.routing.ClusterIndex;
import io.baton.routing.ClusterView;
import io.baton.routing.IndexLimits;
import io.baton.routing.Liveness;
import io.baton.routing.NodeChange;
import io.baton.routing.NodeRole;
import io.baton.routing.NodeState;
import io.baton.routing.NodeView;
import io.baton.serving.Channels;
import io.baton.serving.NodeUpdate;
import io.baton.serving.NodeWatcher;
import io.baton.serving.PeerRole;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is in the cluster and what is known of it. Nodes are the addresses given and whatever the host names given
 * resolve to; each is watched, and its events build the {@link ClusterView} that requests are routed by.
 *
 * <p>Maintainers: one thread ("gateway-cluster") owns members and index; everything else enqueues. The queue is
 * bounded: a watcher that finds it full waits, and so does its node. Resolving only adds. An address leaves when an
 * answer omits it <em>and</em> its event stream is down; an empty or failed answer changes nothing, so a DNS outage
 * takes no node away.
 */
final class Cluster implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);
    private static final int QUEUE = 1_024;
    private static final Duration TICK = Duration.ofSeconds(1);

    private sealed interface Command {
        record Update(Member member, int watch, NodeUpdate update) implements Command {}

        record Resolved(NodeNames.Answer answer) implements Command {}

        record Tick() implements Command {}

        record Close() implements Command {}
    }

    private final BlockingQueue<Command> commands = new ArrayBlockingQueue<>(QUEUE);
    private final GatewaySettings settings;
    private final InstantSource clock;
    private final ServedModel model;
    private final Channels channels;
    private final ScheduledExecutorService scheduler;
    private final RandomGenerator random;
    private final Runnable changed;
    private final Thread thread;
    private final List<ScheduledFuture<?>> timers = new CopyOnWriteArrayList<>();
    private volatile boolean closed;
    private volatile ClusterView view = ClusterView.EMPTY;
    private volatile List<String> troubles = List.of();
    private volatile int blocksKnown;
    private volatile long blocksDropped;

    // Owned by the cluster thread.
    private final ClusterIndex index;
    private final Map<String, Member> members = new LinkedHashMap<>(); // by address
    private final NodeNames names;
    private final Set<String> complaints = new HashSet<>();

    /** @param changed called on the cluster thread whenever the view is new; must be cheap */
    Cluster(
            GatewaySettings settings,
            ServedModel model,
            Channels channels,
            ScheduledExecutorService scheduler,
            InstantSource clock,
            RandomGenerator random,
            Resolver resolver,
            Runnable changed) {
        this.model = model;
        this.channels = channels;
        this.scheduler = scheduler;
        this.clock = clock;
        this.random = random;
        this.names = new NodeNames(settings, resolver);
        this.changed = changed;
        this.index = new ClusterIndex(clock, Liveness.DEFAULT, IndexLimits.DEFAULT);
        this.thread =
                Thread.ofPlatform().name(settings.name() + "-cluster").daemon().unstarted(this::run);
        this.settings = settings;
    }

    /** Begins to watch and to resolve. Once. */
    void start() {
        joinGiven(settings.decodeNodes(), PeerRole.DECODE);
        joinGiven(settings.prefillNodes(), PeerRole.PREFILL);
        publishTroubles();
        thread.start();
        timers.add(scheduler.scheduleAtFixedRate(
                () -> commands.offer(new Command.Tick()), TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS));
        for (NodeAddress name : names.names()) {
            timers.add(scheduler.scheduleWithFixedDelay(
                    () -> Thread.ofVirtual()
                            .name("resolve " + name.host())
                            .start(() -> put(new Command.Resolved(names.resolve(name)))),
                    0,
                    settings.memberRefresh().toMillis(),
                    TimeUnit.MILLISECONDS));
        }
    }

    private void joinGiven(List<String> nodes, PeerRole role) {
        nodes.stream()
                .map(NodeAddress::parse)
                .filter(NodeAddress::isLiteral)
                .forEach(address -> join(address.toString(), role, true));
    }

    /** The latest picture. Any thread. */
    ClusterView view() {
        return view;
    }

    /** Whether every node given by address, not by a name to resolve, is known to be up. Any thread. */
    boolean everyGivenNodeIsUp() {
        Set<String> up = new HashSet<>();
        for (NodeView node : view.nodes()) {
            if (node.state(clock.millis()) == NodeState.KNOWN) {
                up.add(node.address());
            }
        }
        return Stream.concat(settings.decodeNodes().stream(), settings.prefillNodes().stream())
                .map(NodeAddress::parse)
                .filter(NodeAddress::isLiteral)
                .allMatch(address -> up.contains(address.toString()));
    }

    /** What became of every address, for a person who wonders why there is no node. Any thread. */
    String summary() {
        List<String> found = new ArrayList<>(troubles);
        for (NodeView node : view.nodes()) {
            found.add("%s %s is %s%s"
                    .formatted(
                            node.is(NodeRole.DECODE) ? "decode" : "prefill",
                            node.address(),
                            node.state(clock.millis()).name().toLowerCase(Locale.ROOT),
                            node.draining() ? " and draining" : ""));
        }
        return found.isEmpty() ? "no address is known, host names have not resolved yet" : String.join("; ", found);
    }

    /** Nodes of this role that may be given work now. Any thread. */
    long nodesTakingWork(NodeRole role) {
        long now = clock.millis();
        return view.nodes().stream()
                .filter(node -> node.is(role) && node.takesWork(now))
                .count();
    }

    /** Distinct cached blocks known over all nodes. Any thread. */
    int blocksKnown() {
        return blocksKnown;
    }

    /** Blocks left out because the index was full. Any thread. */
    long blocksDropped() {
        return blocksDropped;
    }

    /** How long ago the node at this address was last heard of; {@link Long#MAX_VALUE} when it is not known. */
    long silentMillis(String address) {
        for (NodeView node : view.nodes()) {
            if (node.address().equals(address)) {
                return clock.millis() - node.heardMillis();
            }
        }
        return Long.MAX_VALUE;
    }

    @Override
    public void close() {
        timers.forEach(timer -> timer.cancel(false));
        if (!thread.isAlive()) {
            return; // never started, because the gateway could not listen
        }
        commands.clear();
        put(new Command.Close());
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (true) {
                Command command = commands.take();
                if (command instanceof Command.Close) {
                    closed = true;
                    members.values().forEach(this::unwatch);
                    return;
                }
                handleAndPublish(command);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A defect in the handling of one event must not take the knowledge of every other node away. */
    private void handleAndPublish(Command command) {
        try {
            handle(command);
            publish();
        } catch (RuntimeException e) {
            LOG.error("an event of the cluster was lost: {}", command.getClass().getSimpleName(), e);
            if (command instanceof Command.Update(Member member, int watch, NodeUpdate _) && watch == member.watch) {
                watchAgain(member);
            }
        }
    }

    private void handle(Command command) {
        switch (command) {
            case Command.Update(Member member, int watch, NodeUpdate update) -> {
                if (watch == member.watch) {
                    apply(member, update);
                }
            }
            case Command.Resolved(NodeNames.Answer answer) -> resolved(answer);
            case Command.Tick() -> {
                index.expire();
                leaveIfOmittedAndDown();
                publishTroubles();
            }
            case Command.Close() -> throw new IllegalStateException("handled by run");
        }
    }

    private void publish() {
        ClusterView latest = index.view();
        if (latest != view) {
            view = latest;
        }
        blocksKnown = index.blocksKnown();
        blocksDropped = index.blocksDropped();
        changed.run();
    }

    private void apply(Member member, NodeUpdate update) {
        List<NodeChange> changes;
        try {
            changes = member.changes(update);
        } catch (IllegalArgumentException e) {
            member.lastTrouble = "says of itself what cannot be: " + e.getMessage();
            complain(member.address + " " + member.lastTrouble);
            return;
        }
        if (update instanceof NodeUpdate.Connected connected) {
            LOG.info("{} {} is up", member.role.label(), member.address);
            tellMismatch(member, changes);
            if (!connected.reset() && !index.knowsBlocksOf(member.address)) {
                watchAgain(member); // it goes on where this gateway has forgotten the beginning
                return;
            }
        }
        if (update instanceof NodeUpdate.Connected || update instanceof NodeUpdate.Lost) {
            LOG.debug("{} {}: {}", member.role.label(), member.address, member.lastTrouble);
            publishTroubles();
        }
        for (NodeChange change : changes) {
            switch (index.apply(change)) {
                case NEEDS_RESYNC -> {
                    watchAgain(member);
                    return;
                }
                case REFUSED -> complain(member.address + " is left out: this gateway knows as many nodes as it may");
                case APPLIED, DUPLICATE, AWAITING_SNAPSHOT -> {}
            }
        }
    }

    private void tellMismatch(Member member, List<NodeChange> changes) {
        if (changes.getFirst() instanceof NodeChange.Hello hello) {
            model.mismatch(hello.model(), hello.fingerprint()).ifPresent(difference -> {
                member.lastTrouble = difference;
                complain("%s %s cannot serve this gateway's requests: %s"
                        .formatted(member.role.label(), member.address, difference));
            });
        }
    }

    /** Each complaint is logged once. */
    private void complain(String complaint) {
        if (complaints.size() < QUEUE && complaints.add(complaint)) {
            LOG.warn("{}", complaint);
        }
    }

    private void resolved(NodeNames.Answer answer) {
        names.learn(answer);
        answer.addresses().forEach(address -> join(address, answer.role(), false));
        members.values().forEach(member -> member.omitted = !member.given && !names.mention(member.address));
        leaveIfOmittedAndDown();
    }

    private void join(String address, PeerRole role, boolean given) {
        if (!members.containsKey(address)) {
            Member member = new Member(address, role, given);
            members.put(address, member);
            watch(member);
        }
    }

    private void leaveIfOmittedAndDown() {
        for (Member member : List.copyOf(members.values())) {
            if (member.omitted && !member.connected) {
                LOG.info("{} {} has left", member.role.label(), member.address);
                members.remove(member.address);
                unwatch(member);
                index.apply(new NodeChange.Left(member.address));
                channels.drop(member.address);
            }
        }
    }

    private void watch(Member member) {
        int watch = ++member.watch;
        member.watcher = NodeWatcher.start(
                channels,
                member.address,
                member.role,
                update -> put(new Command.Update(member, watch, update)),
                scheduler,
                random,
                NodeWatcher.Options.defaults());
    }

    private void watchAgain(Member member) {
        unwatch(member);
        watch(member);
    }

    private void unwatch(Member member) {
        NodeWatcher watcher = member.watcher;
        member.watch++;
        if (watcher != null) {
            // Closing waits for a listener that may be waiting for room in the queue, which only this thread makes.
            Thread.ofVirtual().start(watcher::close);
        }
    }

    /** Waits for room; gives up when nobody will make any. */
    private void put(Command command) {
        try {
            boolean taken = false;
            while (!taken && !closed) {
                taken = commands.offer(command, TICK.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void publishTroubles() {
        troubles = members.values().stream()
                .filter(member -> !member.lastTrouble.isEmpty())
                .map(member -> "%s %s: %s".formatted(member.role.label(), member.address, member.lastTrouble))
                .toList();
    }
}
