import java.io.*;
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

/**
 * Load driver and recorder. Modes: load FILE, member FILE, group FILE (a properties file each).
 * Times are epoch microseconds.
 */
public class Driver {
  static final long N0 = System.nanoTime(), W0 = System.currentTimeMillis() * 1000;

  static long now() {
    return W0 + (System.nanoTime() - N0) / 1000;
  }

  static Properties P;

  static String p(String k, String d) {
    return P.getProperty(k, d);
  }

  static int pi(String k, int d) {
    return Integer.parseInt(P.getProperty(k, "" + d));
  }

  static Properties sub(String prefix) {
    Properties r = new Properties();
    for (String k : P.stringPropertyNames())
      if (k.startsWith(prefix)) r.put(k.substring(prefix.length()), P.getProperty(k));
    return r;
  }

  static void say(String s) {
    synchronized (System.out) {
      System.out.println(s);
      System.out.flush();
    }
  }

  public static void main(String[] a) throws Exception {
    P = new Properties();
    try (Reader r = new FileReader(a[1])) {
      P.load(r);
    }
    if (a[0].equals("load")) load();
    else if (a[0].equals("member")) member();
    else if (a[0].equals("group")) group();
  }

  // ---- a consumer that records
  static class Member implements Runnable, ConsumerRebalanceListener {
    final String name;
    final Properties conf;
    final List<String> topics;
    final PrintWriter out;
    final int service;
    final AtomicBoolean stop = new AtomicBoolean();
    volatile boolean done;
    volatile Set<TopicPartition> assigned = Set.of();
    volatile boolean everAssigned;
    volatile long lastRecord;
    final AtomicLong received = new AtomicLong();
    final Queue<long[]> recv;
    final int idx;
    volatile KafkaConsumer<byte[], byte[]> c;
    final long delay;

    Member(
        String name,
        int idx,
        Properties conf,
        List<String> topics,
        PrintWriter out,
        Queue<long[]> recv,
        int service,
        long delay) {
      this.name = name;
      this.idx = idx;
      this.conf = conf;
      this.topics = topics;
      this.out = out;
      this.recv = recv;
      this.service = service;
      this.delay = delay;
    }

    void ev(String what, Collection<TopicPartition> ps) {
      StringBuilder b = new StringBuilder();
      for (TopicPartition t :
          new TreeSet<>(Comparator.comparing(TopicPartition::toString)) {
            {
              addAll(ps);
            }
          }) b.append(b.length() > 0 ? ";" : "").append(t.partition());
      int gen = -9;
      try {
        gen = c.groupMetadata().generationId();
      } catch (Exception e) {
      }
      synchronized (out) {
        out.println(now() + "," + name + "," + what + "," + gen + "," + b);
        out.flush();
      }
    }

    public void onPartitionsRevoked(Collection<TopicPartition> ps) {
      ev("revoked", ps);
      HashSet<TopicPartition> s = new HashSet<>(assigned);
      s.removeAll(ps);
      assigned = s;
    }

    public void onPartitionsLost(Collection<TopicPartition> ps) {
      ev("lost", ps);
      HashSet<TopicPartition> s = new HashSet<>(assigned);
      s.removeAll(ps);
      assigned = s;
    }

    public void onPartitionsAssigned(Collection<TopicPartition> ps) {
      HashSet<TopicPartition> s = new HashSet<>(assigned);
      s.addAll(ps);
      assigned = s;
      everAssigned = true;
      ev("assigned", ps);
    }

    public void run() {
      try {
        if (delay > 0) Thread.sleep(delay);
        conf.put("key.deserializer", ByteArrayDeserializer.class.getName());
        conf.put("value.deserializer", ByteArrayDeserializer.class.getName());
        c = new KafkaConsumer<>(conf);
        c.subscribe(topics, this);
        ev("subscribe", List.of());
        while (!stop.get()) {
          try {
            ConsumerRecords<byte[], byte[]> rs = c.poll(Duration.ofMillis(100));
            if (rs.isEmpty()) continue;
            long t = now();
            lastRecord = t;
            for (ConsumerRecord<byte[], byte[]> r : rs) {
              recv.add(
                  new long[] {
                    ByteBuffer.wrap(r.value()).getLong(), t, r.partition(), r.offset(), idx
                  });
              received.incrementAndGet();
            }
            if (onBatch != null) onBatch.run();
          } catch (WakeupException e) {
          } catch (KafkaException e) {
            ev("error:" + e.getClass().getSimpleName(), List.of());
          }
        }
        ev("close", List.of());
        c.close();
        ev("closed", List.of());
      } catch (Throwable e) {
        say("MEMBERDIED " + name + " " + e);
        e.printStackTrace();
      } finally {
        done = true;
      }
    }

    Runnable onBatch;
  }

  // ---- one member in its own process: recv.csv is written as it comes; SIGTERM closes the
  // consumer
  static void member() throws Exception {
    String dir = p("out", "."), name = p("name", "m");
    PrintWriter reb = new PrintWriter(new FileWriter(dir + "/reb-" + name + ".csv"));
    PrintWriter rec = new PrintWriter(new FileWriter(dir + "/recv-" + name + ".csv"));
    ConcurrentLinkedQueue<long[]> q = new ConcurrentLinkedQueue<>();
    Properties c = sub("consumer.");
    c.put("bootstrap.servers", p("bootstrap", ""));
    c.put("client.id", name);
    Member m = new Member(name, pi("idx", 0), c, List.of(p("topic", "orders")), reb, q, 0, 0);
    m.onBatch =
        () -> {
          long[] r;
          while ((r = q.poll()) != null)
            rec.println(r[0] + "," + r[1] + "," + r[2] + "," + r[3] + "," + name);
          rec.flush();
        };
    Thread t = new Thread(m);
    t.start();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  m.stop.set(true);
                  try {
                    t.join(15000);
                  } catch (InterruptedException e) {
                  }
                }));
    t.join();
  }

  // ---- groups, one after another: how long until stable
  static void group() throws Exception {
    String dir = p("out", ".");
    int n = pi("members", 4), groups = pi("groups", 5);
    long stagger = pi("stagger", 0);
    makeTopic();
    PrintWriter reb = new PrintWriter(new FileWriter(dir + "/reb.csv"));
    for (int g = 0; g < groups; g++) {
      List<Member> ms = new ArrayList<>();
      long t0 = now();
      for (int i = 0; i < n; i++) {
        Properties c = sub("consumer.");
        c.put("bootstrap.servers", p("bootstrap", ""));
        c.put("group.id", p("prefix", "g") + g);
        c.put("client.id", "g" + g + "m" + i);
        Member m =
            new Member(
                "g" + g + "m" + i,
                i,
                c,
                List.of(p("topic", "orders")),
                reb,
                new ConcurrentLinkedQueue<>(),
                0,
                i * stagger);
        ms.add(m);
        new Thread(m).start();
      }
      long end = now() + 40_000_000L, stableAt = 0;
      while (now() < end) { // stable: all partitions owned, every member assigned, for 4 s
        int sum = 0, ever = 0;
        for (Member m : ms) {
          sum += m.assigned.size();
          if (m.everAssigned) ever++;
        }
        if (sum == pi("partitions", 6) && ever == n) {
          if (stableAt == 0) stableAt = now();
          if (now() - stableAt > 4_000_000) break;
        } else stableAt = 0;
        Thread.sleep(5);
      }
      say(
          "GROUP "
              + g
              + " start "
              + t0
              + " stable_ms "
              + (stableAt == 0 ? -1 : (stableAt - t0) / 1000.0));
      for (Member m : ms) m.stop.set(true);
      for (Member m : ms) while (!m.done) Thread.sleep(20);
    }
    reb.close();
  }

  static AdminClient admin() {
    Properties a = new Properties();
    a.put("bootstrap.servers", p("bootstrap", ""));
    a.put("default.api.timeout.ms", "4000");
    a.put("request.timeout.ms", "2000");
    return AdminClient.create(a);
  }

  static void makeTopic() throws Exception {
    String topic = p("topic", "orders");
    try (AdminClient ad = admin()) {
      long end = System.currentTimeMillis() + 60000;
      while (true) {
        try {
          if (ad.describeCluster().nodes().get().size() >= pi("brokers", 3)) break;
        } catch (ExecutionException e) {
        }
        if (System.currentTimeMillis() > end) throw new RuntimeException("no cluster");
        Thread.sleep(100);
      }
      Map<String, String> tc = new HashMap<>();
      for (Map.Entry<Object, Object> e : sub("topicconf.").entrySet())
        tc.put((String) e.getKey(), (String) e.getValue());
      for (int tries = 0; ; tries++) {
        try {
          ad.createTopics(
                  List.of(
                      new NewTopic(topic, pi("partitions", 6), (short) pi("rf", 3)).configs(tc)))
              .all()
              .get();
          break;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof TopicExistsException) break;
          if (tries > 40) throw e;
          Thread.sleep(250);
        }
      }
      while (true) {
        try {
          TopicDescription d = ad.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
          boolean ok = true;
          for (TopicPartitionInfo i : d.partitions())
            ok &= i.leader() != null && i.isr().size() == pi("rf", 3);
          if (ok) break;
        } catch (ExecutionException e) {
        }
        Thread.sleep(100);
      }
    }
  }

  // ---- load
  static void load() throws Exception {
    final String topic = p("topic", "orders"), dir = p("out", ".");
    final double rate = Double.parseDouble(p("rate", "100"));
    final int secs = pi("seconds", 60), size = pi("size", 1024);
    final int N = (int) (rate * secs);
    makeTopic();
    say("TOPIC " + now());
    // commands on stdin
    Thread cmd =
        new Thread(
            () -> {
              try (AdminClient ad = admin();
                  BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
                String l;
                while ((l = in.readLine()) != null) {
                  String w = l.trim();
                  try {
                    if (w.equals("who")) {
                      TopicDescription d =
                          ad.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
                      StringBuilder b = new StringBuilder();
                      for (TopicPartitionInfo i : d.partitions()) {
                        b.append(" ")
                            .append(i.partition())
                            .append(":")
                            .append(i.leader() == null ? -1 : i.leader().id())
                            .append(":");
                        for (Node x : i.replicas()) b.append(x.id()).append("/");
                        b.append(":");
                        for (Node x : i.isr()) b.append(x.id()).append("/");
                      }
                      int q = -1;
                      try {
                        q = ad.describeMetadataQuorum().quorumInfo().get().leaderId();
                      } catch (Exception e) {
                      }
                      say("WHO " + q + b);
                    } else if (w.startsWith("coord ")) {
                      say(
                          "COORD "
                              + ad.describeConsumerGroups(List.of(w.substring(6)))
                                  .all()
                                  .get()
                                  .values()
                                  .iterator()
                                  .next()
                                  .coordinator()
                                  .id());
                    }
                  } catch (Exception e) {
                    say("WHO error " + e);
                  }
                }
              } catch (Exception e) {
              }
            });
    cmd.setDaemon(true);
    cmd.start();
    // consumers
    int cn = pi("members", 3);
    ConcurrentLinkedQueue<long[]> recv = new ConcurrentLinkedQueue<>();
    List<Member> ms = new ArrayList<>();
    List<Thread> ts = new ArrayList<>();
    PrintWriter reb = new PrintWriter(new FileWriter(dir + "/reb.csv"));
    reb.println("t_us,member,event,generation,partitions");
    for (int i = 0; i < cn; i++) {
      Properties c = sub("consumer.");
      c.put("bootstrap.servers", p("bootstrap", ""));
      c.put("group.id", p("group", "payment"));
      c.put("client.id", "payment-" + i);
      Member m = new Member("payment-" + i, i, c, List.of(topic), reb, recv, 0, 0);
      ms.add(m);
      Thread t = new Thread(m, "m" + i);
      ts.add(t);
      t.start();
    }
    if (cn > 0) {
      long st = 0;
      while (true) {
        int sum = 0, ever = 0;
        for (Member m : ms) {
          sum += m.assigned.size();
          if (m.everAssigned) ever++;
        }
        if (sum == pi("partitions", 6) && ever == cn) {
          if (st == 0) st = now();
          if (now() - st > 1_000_000) break;
        } else st = 0;
        Thread.sleep(20);
      }
    }
    if (pi("waitline", 0) == 1) {
      say("READY");
      while (!new File(dir + "/go").exists()) Thread.sleep(20);
    }
    // producer
    Properties pc = new Properties();
    pc.put("bootstrap.servers", p("bootstrap", ""));
    pc.put("key.serializer", ByteArraySerializer.class.getName());
    pc.put("value.serializer", ByteArraySerializer.class.getName());
    pc.put("client.id", "order-service");
    pc.putAll(sub("producer."));
    final long[] intended = new long[N], sent = new long[N], acked = new long[N], off = new long[N];
    final int[] part = new int[N];
    final String[] err = new String[N];
    Arrays.fill(off, -1);
    Arrays.fill(part, -1);
    KafkaProducer<byte[], byte[]> pr = new KafkaProducer<>(pc);
    pr.partitionsFor(topic);
    Random rnd = new Random(pi("seed", 1));
    int nk = pi("keys", 1000);
    final int[] keyOf = new int[N];
    // warm-up of classes and connections: none, Kafka's first send counts as the user sees it; t0
    // in one second
    final AtomicInteger pend = new AtomicInteger();
    long t0 = now() + 1_000_000;
    say("T0 " + t0);
    for (int i = 0; i < N; i++) {
      long it = t0 + (long) (i * 1e6 / rate);
      intended[i] = it;
      long d;
      while ((d = it - now()) > 0) {
        if (d > 200) Thread.sleep(d / 1000, (int) (d % 1000) * 1000);
      }
      byte[] v = new byte[size];
      ByteBuffer.wrap(v).putLong(i).putLong(it);
      int k = rnd.nextInt(nk);
      keyOf[i] = k;
      final int id = i;
      sent[i] = now();
      pend.incrementAndGet();
      try {
        pr.send(
            new ProducerRecord<>(topic, ("k" + k).getBytes(), v),
            (md, e) -> {
              acked[id] = now();
              if (e != null)
                err[id] =
                    e.getClass().getSimpleName()
                        + (e instanceof org.apache.kafka.common.errors.TimeoutException
                            ? ":" + cause(e.getMessage())
                            : "");
              else err[id] = "";
              if (md != null) {
                part[id] = md.partition();
                off[id] = md.offset();
              }
              pend.decrementAndGet();
            });
      } catch (Exception e) {
        acked[i] = now();
        err[i] = "send:" + e.getClass().getSimpleName();
        pend.decrementAndGet();
      }
    }
    long placed = now();
    say("PLACED " + placed);
    long end = now() + pi("drain", 140) * 1_000_000L;
    while (pend.get() > 0 && now() < end) Thread.sleep(50);
    say("SETTLED " + now() + " pending " + pend.get());
    pr.close(Duration.ofSeconds(5));
    // let the consumers drain: idle for 3 s
    if (cn > 0) {
      long e2 = now() + 30_000_000L;
      while (now() < e2) {
        long last = 0;
        for (Member m : ms) last = Math.max(last, m.lastRecord);
        if (now() - last > 3_000_000) break;
        Thread.sleep(100);
      }
    }
    if (pi("holdopen", 0) == 1) {
      say("HOLD");
      while (!new File(dir + "/finish").exists()) Thread.sleep(50);
    }
    // the final log
    List<long[]> log = new ArrayList<>();
    Map<Integer, Long> ends = new TreeMap<>();
    {
      Properties c = new Properties();
      c.put("bootstrap.servers", p("bootstrap", ""));
      c.put("key.deserializer", ByteArrayDeserializer.class.getName());
      c.put("value.deserializer", ByteArrayDeserializer.class.getName());
      c.put("max.poll.records", "5000");
      c.put("enable.auto.commit", "false");
      c.put("default.api.timeout.ms", "20000");
      try (KafkaConsumer<byte[], byte[]> kc = new KafkaConsumer<>(c)) {
        List<TopicPartition> tps = new ArrayList<>();
        for (int i = 0; i < pi("partitions", 6); i++) tps.add(new TopicPartition(topic, i));
        kc.assign(tps);
        kc.seekToBeginning(tps);
        Map<TopicPartition, Long> eo = kc.endOffsets(tps);
        for (Map.Entry<TopicPartition, Long> e : eo.entrySet())
          ends.put(e.getKey().partition(), e.getValue());
        long e2 = now() + 30_000_000L;
        while (now() < e2) {
          boolean all = true;
          for (TopicPartition t : tps) if (kc.position(t) < eo.get(t)) all = false;
          if (all) break;
          for (ConsumerRecord<byte[], byte[]> r : kc.poll(Duration.ofMillis(200)))
            log.add(new long[] {ByteBuffer.wrap(r.value()).getLong(), r.partition(), r.offset()});
        }
      } catch (Exception e) {
        say("FINALLOG " + e);
      }
    }
    for (Member m : ms) m.stop.set(true);
    for (Thread t : ts) t.join(8000);
    reb.close();
    // files
    try (PrintWriter o = new PrintWriter(new BufferedWriter(new FileWriter(dir + "/orders.csv")))) {
      o.println("id,key,intended_us,sent_us,done_us,error,partition,offset");
      for (int i = 0; i < N; i++)
        o.println(
            i
                + ","
                + keyOf[i]
                + ","
                + (intended[i] - t0)
                + ","
                + (sent[i] - t0)
                + ","
                + (acked[i] == 0 ? "" : acked[i] - t0)
                + ","
                + (err[i] == null ? "PENDING" : err[i])
                + ","
                + part[i]
                + ","
                + off[i]);
    }
    try (PrintWriter o = new PrintWriter(new BufferedWriter(new FileWriter(dir + "/recv.csv")))) {
      o.println("id,t_us,partition,offset,member");
      for (long[] r : recv)
        o.println(r[0] + "," + (r[1] - t0) + "," + r[2] + "," + r[3] + "," + r[4]);
    }
    try (PrintWriter o = new PrintWriter(new BufferedWriter(new FileWriter(dir + "/log.csv")))) {
      o.println("id,partition,offset");
      for (long[] r : log) o.println(r[0] + "," + r[1] + "," + r[2]);
    }
    say("DONE t0=" + t0 + " ends=" + ends);
    System.exit(0);
  }

  static String cause(String m) {
    if (m == null) return "";
    if (m.contains("Expiring")) return "expired";
    if (m.contains("not present in metadata")) return "metadata";
    if (m.contains("Failed to allocate")) return "buffer";
    return m.length() > 40 ? m.substring(0, 40).replace(',', ';') : m.replace(',', ';');
  }
}
