// Each row is the whole state of a partition from its time on.
#include "trace/leadership.h"

#include <doctest/doctest.h>

#include "observe/story.h"
#include "observe/teller.h"

namespace sim::trace {
namespace {

TEST_CASE("leaders, their ISR, the first advance of each, and when nobody leads") {
  Leadership leadership((observe::Names()));
  test::Teller tell;
  test::Story story([&](const observe::Observation& seen) { tell(seen, leadership); });
  story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 3});
  story.leads(1, 0, 0);
  story.isr(1, {NodeId{1}, NodeId{2}});
  story.high_watermark(2, 0, 1);
  story.high_watermark(3, 1, 2);  // not the first
  story.tell(4, test::kBroker1, observe::ProcessStopped{});
  story.leads(5, 1, 2, test::kBroker2);
  story.high_watermark(6, 2, 3, test::kBroker1);  // of a leader that was replaced
  story.high_watermark(7, 2, 3, test::kBroker2);
  story.tell(8, test::kBroker1, observe::LogTruncated{test::kOrders0, NodeId{1}, 5, 2});
  CHECK(leadership.csv() ==
        "t_ns,topic,partition,event,leader,leader_epoch,isr,offset,replica,node,replicas,elr\n"
        "1000000,orders,0,leader,1,0,,0,,,,\n"
        "1000000,orders,0,isr,1,0,1;2,,,,,\n"
        "2000000,orders,0,high_watermark,1,0,1;2,1,,,,\n"
        "4000000,orders,0,leader_stopped,,0,1;2,,,,,\n"
        "5000000,orders,0,leader,2,1,1;2,2,,,,\n"
        "7000000,orders,0,high_watermark,2,1,1;2,3,,,,\n"
        "8000000,orders,0,truncated,2,1,1;2,2,1,,,\n");
}

observe::PartitionChanged decided(std::int32_t leader, std::int32_t leader_epoch, std::vector<NodeId> isr,
                                  Offset offset) {
  observe::PartitionChanged fact;
  fact.tp = test::kOrders0;
  fact.leader = NodeId{leader};
  fact.leader_epoch = LeaderEpoch{leader_epoch};
  fact.replicas = {NodeId{1}, NodeId{2}};
  fact.isr = std::move(isr);
  fact.offset = offset;
  return fact;
}

TEST_CASE("what controllers decide, who of them is active, and who is fenced") {
  constexpr ProcessId kFirst{1}, kSecond{2};
  observe::Names names;
  names.processes.resize(20);
  names.processes[1] = "controller-1";
  names.processes[2] = "controller-2";
  names.processes[10] = "broker-1";
  names.processes[11] = "broker-2";
  const NodeId one{1}, two{2};
  Leadership leadership(names);
  test::Teller tell;
  test::Story story([&](const observe::Observation& seen) { tell(seen, leadership); });
  story.tell(0, kFirst, observe::TopicCreated{TopicId{1}, "orders", 1, 2});
  story.tell(1, kFirst, observe::ControllerChanged{NodeId{3001}, QuorumEpoch{4}, true});
  story.tell(2, kFirst, decided(1, 0, {one, two}, 7));
  story.leads(3, 0, 0);
  story.tell(10, test::kBroker1, observe::ProcessStopped{});
  story.tell(11, kFirst, decided(1, 0, {one}, 8));  // who is down does not lead again for a smaller ISR
  story.tell(12, kFirst, observe::ProcessStopped{});
  story.tell(13, kSecond, observe::ControllerChanged{NodeId{3002}, QuorumEpoch{5}, true});
  story.tell(14, kSecond, observe::BrokerStateChanged{one, BrokerEpoch{3}, true, false, 9});
  observe::PartitionChanged with_elr = decided(2, 1, {two}, 10);
  with_elr.elr = {one};
  story.tell(14, kSecond, with_elr);
  story.tell(14, kSecond, with_elr);          // told twice
  story.isr(15, {one, two}, test::kBroker1);  // of one that is deposed and does not know
  story.leads(15, 1, 5, test::kBroker2);
  story.tell(16, kSecond, observe::BrokerStateChanged{two, BrokerEpoch{4}, false, true, 11});
  story.tell(17, kSecond, observe::BrokerStateChanged{one, BrokerEpoch{5}, false, false, 12});
  story.tell(18, kSecond, observe::ControllerChanged{NodeId{3002}, QuorumEpoch{5}, false});
  CHECK(leadership.csv() ==
        "t_ns,topic,partition,event,leader,leader_epoch,isr,offset,replica,node,replicas,elr\n"
        "1000000,__cluster_metadata,0,controller,3001,4,,,,controller-1,,\n"
        "2000000,orders,0,decided,1,0,1;2,7,,controller-1,1;2,\n"
        "3000000,orders,0,leader,1,0,1;2,0,,broker-1,1;2,\n"
        "10000000,orders,0,leader_stopped,,0,1;2,,,broker-1,1;2,\n"
        "11000000,orders,0,decided,,0,1,8,,controller-1,1;2,\n"
        "12000000,__cluster_metadata,0,controller_stopped,,4,,,,controller-1,,\n"
        "13000000,__cluster_metadata,0,controller,3002,5,,,,controller-2,,\n"
        "14000000,,,fenced,,,,9,1,controller-2,,\n"
        "14000000,orders,0,decided,2,1,2,10,,controller-2,1;2,1\n"
        "15000000,orders,0,leader,2,1,2,5,,broker-2,1;2,1\n"
        "16000000,,,stopping,,,,11,2,controller-2,,\n"
        "17000000,,,unfenced,,,,12,1,controller-2,,\n"
        "18000000,__cluster_metadata,0,controller_resigned,,5,,,,controller-2,,\n");
}

}  // namespace
}  // namespace sim::trace
