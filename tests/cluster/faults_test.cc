// Faults of processes: what each word does, how it ends, what it counts, and what happens when several meet.
#include <doctest/doctest.h>

#include "cluster/small_world.h"

namespace sim::cluster {
namespace {

using namespace test;

TEST_CASE("kill: connections are closed, connecting is refused, and it starts when the fault ends") {
  SmallWorld world = server_and_client();
  world.strike("bounce", fault::Kill{broker(1)}, 105ms, 50ms);
  const Transcript record = world.play(300ms);
  CHECK(record.times("ProcessStopped") == Times{105});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 155});
  CHECK(record.times("lost", kClient) == Times{105});
  CHECK(record.times("refused", kClient).front() == 110);
  CHECK(record.count("answered", 106, 155) == 0);
  CHECK(record.count("answered", 170, 300) >= 12);
  CHECK(record.times("FaultStruck") == Times{105});
  CHECK(record.times("FaultEnded") == Times{155});
  REQUIRE(record.all("FaultStruck")[0].touched.size() == 1);
  CHECK(record.all("FaultStruck")[0].touched[0] == kServer);
  CHECK(record.all("FaultEnded")[0].number == 1);
}

TEST_CASE("without an end a killed process stays down, and the fault is reported at the run's end") {
  SmallWorld world = server_and_client();
  world.strike("end", fault::Kill{broker(1)}, 100ms);
  const Transcript record = world.play(300ms);
  CHECK(record.times("ProcessStarted", kServer) == Times{0});
  CHECK(record.times("FaultEnded") == Times{300});
  CHECK(record.all("FaultEnded")[0].number == 1);
}

TEST_CASE("a target that is nobody touches nobody") {
  const fault::Targets nobodies[] = {broker(9),
                                     {fault::ActiveController{}},
                                     {fault::LeaderOf{"orders", 0}},
                                     {fault::CoordinatorOf{"payment"}},
                                     {fault::ClientTarget{"nobody"}},
                                     {fault::RackTarget{"z"}},
                                     {fault::AllOf{fault::Pool::controllers}}};
  for (const fault::Targets& nobody : nobodies) {
    SmallWorld world = server_and_client();
    world.strike("kill", fault::Kill{nobody}, 10ms, 10ms);
    world.strike("cut", fault::Partition{fault::Isolate{nobody}}, 10ms, 10ms);
    world.strike("hold", fault::Hold{{nobody, {}}, "Heartbeat"}, 10ms, 10ms);
    const Transcript record = world.play(100ms);
    REQUIRE(record.all("FaultEnded").size() == 3);
    for (const auto& line : record.all("FaultStruck")) CHECK(line.touched.empty());
    for (const auto& line : record.all("FaultEnded")) CHECK(line.number == 0);
  }
}

TEST_CASE("power loss: what was not flushed is gone, everyone on the machine is, and peers hear nothing") {
  SmallWorld world = server_and_client(ClientHabits{{kServer}}, {node::Safety::written});
  world.add_to_last_machine(ProcessSpec(world.processes().specs[0]),
                            0);  // a neighbour on the server's machine
  world.strike("dark", fault::PowerLoss{broker(1)}, 105ms, 1s);
  Cluster cluster = world.build();
  Transcript record;
  cluster.observe(record);
  play_until(cluster, 104ms);
  const TopicPartition tp{TopicId{1}, 0};
  CHECK(cluster.image(kServer).logs.at(tp).end_offset() > 0);
  play_until(cluster, 106ms);
  CHECK(cluster.image(kServer).logs.at(tp).end_offset() == 0);
  CHECK(record.times("ProcessStopped") == Times{105, 105});
  play_until(cluster, 3s);
  CHECK(record.all("FaultEnded")[0].number == 2);
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 1105});
  CHECK(record.times("ProcessStarted", ProcessId{2}) == Times{0, 1105});
  // The request of 110 ms was sent again 0.2, 0.6 and 1.4 s later, and a round trip of 0.2 ms times 1, 3 and
  // 7 (RFC 6298: the time-out starts from what was measured): then the machine is up and does not know it.
  CHECK(record.times("lost", kClient) == Times{1511});
  CHECK(record.count("answered", 106, 1511) == 0);
  CHECK(record.count("answered", 1520, 3000) > 100);
}

TEST_CASE(
    "power loss of a client: its server finds out when it has something to say to the machine that is back") {
  SmallWorld world =
      server_and_client(ClientHabits{{kServer}}, {node::Safety::flushed});  // answers take 2 ms
  world.strike("dark", fault::PowerLoss{{fault::ClientTarget{"client-1"}}}, 111ms, 300ms);
  // The answer of 112 ms was sent again at 312 and 712 ms. By then there is another connection of that name,
  // and of the older one the process hears no more.
  const Transcript record = world.play(2s);
  CHECK(record.times("lost", kServer).empty());
  CHECK(record.times("connected", kClient) == Times{0, 411});
  CHECK(record.count("answered", 430, 2000) > 140);

  world.strike("kill", fault::Kill{{fault::ClientTarget{"client-1"}}}, 120ms, 1s);
  CHECK(world.play(1s).times("lost", kServer) == Times{713});  // 112 ms and three time-outs of 200.2 ms
}

TEST_CASE("stop: the process winds up and goes by itself, and starts when the fault ends") {
  SmallWorld world = server_and_client(ClientHabits{{kServer}}, {{}, 40ms});
  world.strike("stop", fault::Stop{broker(1)}, 100ms, 100ms);
  const Transcript record = world.play(400ms);
  CHECK(record.times("told to stop") == Times{100});
  CHECK(record.count("answered", 101, 141) >= 3);
  CHECK(record.times("ProcessStopped") == Times{140});
  CHECK(record.times("lost", kClient) == Times{140});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 200});
  CHECK(record.times("FaultEnded") == Times{200});
  CHECK(record.all("FaultEnded")[0].number == 1);
}

TEST_CASE("a stop that ends before the process has gone: it starts as soon as it has") {
  SmallWorld world = server_and_client(ClientHabits{{kServer}}, {{}, 40ms});
  world.strike("stop", fault::Stop{broker(1)}, 100ms, 10ms);
  const Transcript record = world.play(400ms);
  CHECK(record.times("FaultEnded") == Times{110});
  CHECK(record.times("ProcessStopped") == Times{140});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 140});
}

TEST_CASE("a stop whose end counts from the exit: down for so long, however long it winds up") {
  SmallWorld world = server_and_client(ClientHabits{{kServer}}, {{}, 40ms});
  world.strike("stop", fault::Stop{broker(1), Duration(50ms)}, 100ms);
  const Transcript record = world.play(400ms);
  CHECK(record.times("ProcessStopped") == Times{140});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 190});
  CHECK(record.times("FaultEnded") == Times{190});

  world.strike("kill", fault::Kill{broker(1)}, 120ms, 10ms);  // exited is exited
  CHECK(world.play(400ms).times("ProcessStarted", kServer) == Times{0, 170});
}

TEST_CASE("a stop whose end counts from the exit of one that is down already counts from the strike") {
  SmallWorld world = server_and_client();
  world.strike("kill", fault::Kill{broker(1)}, 50ms, 60ms);
  world.strike("stop", fault::Stop{broker(1), Duration(50ms)}, 100ms);
  CHECK(world.play(400ms).times("ProcessStarted", kServer) == Times{0, 150});
}

TEST_CASE("a role whose player is down is missed, with its player's name; what is called by name is not") {
  const observe::BecameLeader leads{TopicPartition{TopicId{1}, 0}, NodeId{1}, LeaderEpoch{0}, 0};
  const observe::TopicCreated topic{TopicId{1}, "orders", 1, 1};
  SmallWorld world = server_and_client(ClientHabits{{kServer}}, {{}, {}, {topic, leads}});
  world.fix("b1", fault::LeaderOf{"orders", 0}, 90ms);
  world.strike("kill", fault::Kill{{fault::LeaderOf{"orders", 0}}}, 100ms);
  world.strike("role", fault::Pause{{fault::LeaderOf{"orders", 0}}}, 110ms, 10ms);
  world.strike("nobody", fault::Pause{{fault::LeaderOf{"orders", 7}}}, 110ms, 10ms);
  world.strike("name", fault::Restart{{fault::FixedTarget{"b1"}}}, 150ms);
  const Transcript record = world.play(400ms);
  REQUIRE(record.all("RoleMissed").size() == 2);
  CHECK(record.all("RoleMissed")[0].number == kServer.value());
  CHECK(record.all("RoleMissed")[1].number == kNoProcess.value());
  CHECK(record.times("RoleMissed") == Times{110, 110});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 150});
}

TEST_CASE("a fixed target stands for who had the role then; a random one is drawn once for all faults") {
  SmallWorld world;
  for (int i = 0; i < 5; ++i) world.add_server();
  world.fix("victim", fault::RandomOf{fault::Pool::brokers, 2}, 0ms);
  for (int i = 1; i <= 4; ++i)
    world.strike("kill-" + std::to_string(i), fault::Kill{{fault::FixedTarget{"victim"}}}, i * 100ms, 50ms);
  const auto struck = world.play(1s).all("FaultStruck");
  REQUIRE(struck.size() == 4);
  REQUIRE(struck[0].touched.size() == 2);
  for (const auto& line : struck) CHECK(line.touched == struck[0].touched);
}

TEST_CASE("restart: stops, starts at once, and is over then; one that is down is only started") {
  SmallWorld world = server_and_client(ClientHabits{{kServer}}, {{}, 40ms});
  world.strike("restart", fault::Restart{broker(1)}, 100ms);
  world.strike("kill", fault::Kill{broker(1)}, 200ms);
  world.strike("again", fault::Restart{broker(1)}, 300ms);
  const Transcript record = world.play(400ms);
  CHECK(record.times("told to stop") == Times{100});
  CHECK(record.times("ProcessStopped") == Times{140, 200});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 140, 300});
  CHECK(record.times("FaultEnded") == Times{140, 300, 400});
}

TEST_CASE("a process that ends by its own will stays down") {
  class Leaver final : public node::Node {
   public:
    std::unique_ptr<node::Node> clone() const override { return std::make_unique<Leaver>(*this); }
    void step(node::Input& input, node::Env env, node::Effects& out) override {
      if (std::holds_alternative<node::Started>(input))
        out.emplace_back(node::SetTimer{node::TimerId{node::Part::application, 0}, env.now + 50ms});
      if (std::holds_alternative<node::TimerFired>(input)) out.emplace_back(node::Exit{});
    }
  };
  SmallWorld world = server_and_client();
  ProcessSpec leaver;
  leaver.name = "leaver";
  leaver.application = "leaver";
  leaver.boot = Prototype(std::make_shared<Leaver>());
  const ProcessId id = world.add(leaver, true);
  world.strike("kill", fault::Kill{{fault::ClientTarget{"leaver"}}}, 100ms, 10ms);
  const Transcript record = world.play(200ms);
  CHECK(record.times("ProcessStopped", id) == Times{50});
  CHECK(record.times("ProcessStarted", id) == Times{0});
  CHECK(record.all("FaultEnded")[0].number == 0);
}

TEST_CASE("an exit in the middle of everything: threads, writes and requests end with the process") {
  // Exits in the step that learns of a write, on which an I/O thread and an answer wait.
  class Fragile final : public Server {
   public:
    Fragile() : Server({node::Safety::flushed}) {}
    std::unique_ptr<node::Node> clone() const override { return std::make_unique<Fragile>(*this); }
    void step(node::Input& input, node::Env env, node::Effects& out) override {
      Server::step(input, env, out);
      if (std::holds_alternative<node::Persisted>(input) && env.now > local_at(100 * kMillis))
        out.emplace_back(node::Exit{});
    }
  };
  SmallWorld world = server_and_client();
  world.add_client({{kServer}});
  world.processes().specs[0].boot = Prototype(std::make_shared<Fragile>());
  world.processes().specs[0].threads = {1, 1, 1};
  world.strike("up", fault::Restart{broker(1)}, 95ms, {}, 50ms);
  const Transcript record = world.play(400ms);
  CHECK(record.all("ProcessStopped", kServer).size() > 5);
  CHECK(record.count("asked", 300, 400) > 0);
}

// ---- Pause

TEST_CASE("pause: nothing happens at the process; it then learns all at once, in order") {
  SmallWorld world = server_and_client();
  world.strike("freeze", fault::Pause{{fault::ClientTarget{"client-1"}}}, 105ms, 100ms);
  const Transcript record = world.play(300ms);
  CHECK(record.count("tick", 105, 205) == 0);
  CHECK(record.times("tick", kClient)[10] == 205);  // the timer of 110 ms
  CHECK(record.times("tick", kClient)[11] == 215);
  CHECK(record.all("FaultEnded")[0].number == 1);
  CHECK(record.all("ProcessStopped").empty());
}

TEST_CASE(
    "a paused server: its kernel takes bytes and connections, its threads stand still and go on where they "
    "were") {
  SmallWorld world = server_and_client({{kServer}, {Lane::data}, 10ms, 25ms, 1ms});
  world.add_client({{kServer}});
  world.processes().specs[2].starts_at = instant_at(120 * kMillis);
  // The request of 100 ms is being handled: it arrived at 100.1, was read at 100.11 and would be done at
  // 100.14.
  world.strike("freeze", fault::Pause{broker(1)}, Duration{100'125 * kMicros}, 100ms);
  const Transcript record = world.play(400ms);
  CHECK(record.count("asked", 101, 200) == 0);
  CHECK(record.times("connected", ProcessId{2}) == Times{120});  // by the backlog
  // The request in hand first, with the 15 us that were left of it; then what came meanwhile, though its
  // client has given up and closed the connection: it was in the socket.
  std::vector<Transcript::Line> asked;
  for (const auto& line : record.all("asked")) {
    if (line.at_micros >= 200'000) asked.push_back(line);
  }
  CHECK(asked[0].at_micros == 200'140);
  CHECK(record.times("gave up", kClient).size() >= 2);
  CHECK(record.count("asked", 200, 203) >= 14);  // nine of each client
  CHECK(record.count("answered", 200, 300, ProcessId{2}) >= 9);
}

TEST_CASE("what a server has not read when its answer meets a closed socket is lost") {
  // Some twenty requests wait in the socket when the client gives up and connects anew; more follow on the
  // new connection. Of the twenty, the server handles as many as it reads before the reset is back: one every
  // 50 us, and the reset comes a round trip, 200 us, after the first answer.
  SmallWorld world = server_and_client({.servers = {kServer}, .patience = 200ms});
  world.strike("paused", fault::Pause{broker(1)}, 100ms, 300ms);
  const Transcript record = world.play(500ms);
  REQUIRE(record.times("gave up", kClient).size() == 1);
  const std::int64_t connected_anew = record.times("connected", kClient).at(1);
  CHECK(record.count("tick", 100, connected_anew, kClient) >= 20);
  const std::int64_t on_the_new_one = record.count("tick", connected_anew, 400, kClient);
  const std::int64_t of_the_old_one = record.count("asked", 400, 405, kServer) - on_the_new_one;
  CHECK(of_the_old_one >= 1);
  CHECK(of_the_old_one <= 7);
}

TEST_CASE("writes go on while their process is paused; it learns of them later") {
  SmallWorld world = server_and_client(ClientHabits{{kServer}}, {node::Safety::flushed});
  // The write of 100 ms is done at 100.19 and its flush would be at 102.19.
  world.strike("freeze", fault::Pause{broker(1)}, Duration{100'160 * kMicros}, 50ms);
  Cluster cluster = world.build();
  Transcript record;
  cluster.observe(record);
  play_until(cluster, 149ms);
  const log::LogImage& image = cluster.image(kServer).logs.at({TopicId{1}, 0});
  const Offset flushed = image.flushed_end_offset;
  CHECK(image.end_offset() > flushed);  // written: but the call that flushes was not made
  play_until(cluster, 153ms);
  CHECK(image.flushed_end_offset > flushed);
  CHECK(record.times("persisted").back() == 152);
}

TEST_CASE("a timer that was due in a pause can still be cancelled by what came before it") {
  class Canceller final : public node::Node {
   public:
    std::unique_ptr<node::Node> clone() const override { return std::make_unique<Canceller>(*this); }
    void step(node::Input& input, node::Env env, node::Effects& out) override {
      if (std::holds_alternative<node::Started>(input)) {
        out.emplace_back(node::SetTimer{node::TimerId{node::Part::application, 1}, env.now + 20ms});
        out.emplace_back(node::SetTimer{node::TimerId{node::Part::application, 2}, env.now + 30ms});
      }
      if (const auto* fired = std::get_if<node::TimerFired>(&input)) {
        note(out, "fired", fired->timer.number);
        out.emplace_back(node::CancelTimer{node::TimerId{node::Part::application, 2}});
      }
    }
  };
  SmallWorld world = server_and_client();
  ProcessSpec process;
  process.name = "canceller";
  process.application = "canceller";
  process.boot = Prototype(std::make_shared<Canceller>());
  world.add(process, true);
  world.strike("freeze", fault::Pause{{fault::ClientTarget{"canceller"}}}, 10ms, 50ms);
  const Transcript record = world.play(200ms);
  CHECK(record.times("fired") == Times{60});
}

// ---- Several at once

TEST_CASE("a process is down until the last fault that holds it down has ended") {
  struct Row {
    const char* what;
    fault::Kind first, second;
    std::optional<Duration> first_lasts, second_lasts;
    Times starts;
  };
  const fault::Kill kill{broker(1)};
  const fault::PowerLoss dark{broker(1)};
  const fault::Stop stop{broker(1)};
  const Row rows[] = {
      {"one within the other", kill, kill, 100ms, 20ms, {0, 200}},
      {"one after the other", kill, kill, 100ms, 200ms, {0, 350}},
      {"power lost while dead", kill, dark, 100ms, 200ms, {0, 350}},
      {"killed while there is no power", dark, kill, 100ms, 200ms, {0, 350}},
      {"killed while it winds up", stop, kill, 300ms, 100ms, {0, 400}},
      {"killed for good while dead", kill, kill, 100ms, {}, {0}},
      {"dead for good before", kill, kill, {}, 100ms, {0}},
      {"power lost for good while dead", kill, dark, 100ms, {}, {0}},
      {"killed while it is restarted", fault::Restart{broker(1)}, kill, {}, 30ms, {0, 180}},
      {"restarted while it is held down", kill, fault::Restart{broker(1)}, 100ms, {}, {0, 200}},
      {"restarted when dead for good", kill, fault::Restart{broker(1)}, {}, {}, {0, 150}},
      {"restarted without power for good", dark, fault::Restart{broker(1)}, {}, {}, {0, 150}},
      {"restarted while it winds up for good", stop, fault::Restart{broker(1)}, {}, {}, {0, 200}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    SmallWorld world = server_and_client(ClientHabits{{kServer}}, {{}, 100ms});
    world.strike("first", row.first, 100ms, row.first_lasts);
    world.strike("second", row.second, 150ms, row.second_lasts);
    const Transcript record = world.play(600ms);
    CHECK(record.times("ProcessStarted", kServer) == row.starts);
    CHECK(record.all("FaultEnded").size() == 2);
  }
}

TEST_CASE("pauses overlap: it stands still until the last one ends, and a kill ends them all") {
  SmallWorld world = server_and_client();
  world.strike("one", fault::Pause{broker(1)}, 100ms, 100ms);
  world.strike("two", fault::Pause{broker(1)}, 150ms, 100ms);
  const Transcript record = world.play(400ms);
  CHECK(record.count("asked", 101, 250) == 0);
  CHECK(record.count("asked", 250, 252) >= 14);

  world.strike("kill", fault::Kill{broker(1)}, 160ms, 10ms);
  const Transcript killed = world.play(400ms);
  CHECK(killed.times("ProcessStarted", kServer) == Times{0, 170});
  CHECK(killed.count("asked", 175, 250) > 5);  // another life is not paused
  CHECK(killed.count("asked", 250, 400) > 10);
}

TEST_CASE("SIGTERM waits for a paused process to go on") {
  SmallWorld world = server_and_client();
  world.strike("freeze", fault::Pause{broker(1)}, 100ms, 100ms);
  world.strike("stop", fault::Stop{broker(1)}, 150ms, 20ms);
  const Transcript record = world.play(400ms);
  CHECK(record.times("told to stop") == Times{200});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 200});
}

TEST_CASE("every: strikes until the load ends, but not while it still lasts") {
  SmallWorld world = server_and_client();
  world.strike("flap", fault::Kill{broker(1)}, 100ms, 50ms, 100ms);
  world.strike("slow", fault::Pause{{fault::ClientTarget{"client-1"}}}, 100ms, 150ms, 100ms);
  Cluster cluster = world.build(1, instant_at(450 * kMillis));
  Transcript record;
  cluster.observe(record);
  play_until(cluster, 1s);
  CHECK(record.times("ProcessStopped", kServer) == Times{100, 200, 300, 400});
  CHECK(record.times("ProcessStarted", kServer) == Times{0, 150, 250, 350, 450});
  Times slow;
  for (const auto& line : record.all("FaultStruck")) {
    if (line.number == 1) slow.push_back(line.at_micros / 1'000);
  }
  CHECK(slow == Times{100, 300});
}

TEST_CASE("a strike without an end is over when the next one comes; each counts its own") {
  SmallWorld world = server_and_client();
  world.strike("restart", fault::Restart{broker(1)}, 100ms, {}, 100ms);
  world.strike("kill", fault::Kill{broker(1)}, 150ms, {}, 200ms);
  const Transcript record = world.play(399ms);
  CHECK(record.times("FaultStruck") == Times{100, 150, 200, 300, 350});
  std::int64_t effects = 0;
  for (const auto& line : record.all("FaultEnded")) effects += line.number;
  CHECK(record.all("FaultEnded").size() == 5);
  CHECK(effects == 5);
}

// ---- Whom

TEST_CASE("roles are resolved when the fault strikes, from what processes have told") {
  const TopicPartition orders{TopicId{1}, 0};
  const TopicPartition offsets{TopicId{2}, 0};
  const observe::TopicCreated created{TopicId{1}, "orders", 1, 3};
  const observe::TopicCreated created_offsets{TopicId{2}, "__consumer_offsets", 1, 3};
  const observe::PartitionChanged assigned{
      orders, NodeId{2}, LeaderEpoch{5}, {}, {NodeId{3}, NodeId{2}, NodeId{1}}, {}, {}};
  SmallWorld world;
  world.add_server(
      {{},
       {},
       {created, created_offsets, observe::BecameLeader{orders, NodeId{1}, LeaderEpoch{4}}, assigned}});
  world.add_server({{}, {}, {observe::BecameLeader{orders, NodeId{2}, LeaderEpoch{5}}}});
  world.add_server({{},
                    {},
                    {observe::BecameLeader{offsets, NodeId{3}, LeaderEpoch{0}},
                     observe::BecameLeader{orders, NodeId{3}, LeaderEpoch{4}}}});
  world.processes().specs[0].controller = NodeId{1};
  world.processes().specs[1].controller = NodeId{2};
  const auto elected = [](std::int32_t node, observe::QuorumRole role, std::int32_t quorum_epoch) {
    return observe::QuorumRoleChanged{NodeId{node}, role, QuorumEpoch{quorum_epoch}, NodeId{node}};
  };
  world.processes().specs[0].boot = Prototype(std::make_shared<Server>(ServerHabits{
      {},
      {},
      {created, created_offsets, assigned, elected(1, observe::QuorumRole::leader, 3),
       elected(2, observe::QuorumRole::leader, 2), elected(2, observe::QuorumRole::follower, 3)}}));
  world.processes().names.services = {"payment"};
  world.processes().names.groups = {"payment-group"};

  struct Row {
    std::string what;
    fault::Target target;
    std::vector<std::int32_t> want;  // brokers
  };
  const Row rows[] = {
      {"leader", fault::LeaderOf{"orders", 0}, {2}},
      {"first follower", fault::FollowerOf{"orders", 0, 1}, {3}},
      {"second follower", fault::FollowerOf{"orders", 0, 2}, {1}},
      {"third follower", fault::FollowerOf{"orders", 0, 3}, {}},
      {"coordinator of a group", fault::CoordinatorOf{"payment-group"}, {3}},
      {"coordinator of a service", fault::CoordinatorOf{"payment"}, {3}},
      {"active controller", fault::ActiveController{}, {1}},
      {"controller", fault::ControllerTarget{NodeId{2}}, {2}},
      {"all controllers", fault::AllOf{fault::Pool::controllers}, {1, 2}},
      {"all brokers", fault::AllOf{fault::Pool::brokers}, {1, 2, 3}},
      {"three of three", fault::RandomOf{fault::Pool::brokers, 5}, {1, 2, 3}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    SmallWorld struck = world;
    struck.strike("kill", fault::Kill{{row.target}}, 10ms, 10ms);
    struck.strike("while it is dead", fault::Kill{{row.target}}, 15ms, 1ms);
    const Transcript record = struck.play(30ms);
    const std::vector<Transcript::Line> strikes = record.all("FaultStruck");
    std::vector<std::int32_t> touched;
    for (const ProcessId process : strikes[0].touched) touched.push_back(process.value() + 1);
    if (std::holds_alternative<fault::RandomOf>(row.target)) std::sort(touched.begin(), touched.end());
    CHECK(touched == row.want);
    // Whoever plays a role is up; who is called by name need not be.
    const bool by_name = std::holds_alternative<fault::ControllerTarget>(row.target) ||
                         std::holds_alternative<fault::AllOf>(row.target);
    CHECK(strikes[1].touched.size() == (by_name ? row.want.size() : 0));
  }
}

TEST_CASE("random targets come from a stream of the fault's own name") {
  SmallWorld world;
  for (int i = 0; i < 8; ++i) world.add_server();
  const fault::Kill kill{{fault::RandomOf{fault::Pool::brokers, 1}}};
  world.strike("a", kill, 10ms, 5ms, 10ms);
  const auto touched_by_a = [](const Transcript& record) {
    std::vector<std::int32_t> touched;
    for (const auto& line : record.all("FaultStruck")) {
      if (line.number == 0) touched.push_back(line.touched.at(0).value());
    }
    return touched;
  };
  const auto alone = touched_by_a(world.play(200ms));
  CHECK(std::count(alone.begin(), alone.end(), alone[0]) < 10);
  world.strike("b", fault::Partition{fault::Halves{}}, 3ms, 5ms, 10ms);
  CHECK(touched_by_a(world.play(200ms)) == alone);
}

}  // namespace
}  // namespace sim::cluster
