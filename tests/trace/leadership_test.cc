// Each row is the whole state of a partition from its time on.
#include "trace/leadership.h"

#include <doctest/doctest.h>

#include "observe/story.h"

namespace sim::trace {
namespace {

TEST_CASE("leaders, their ISR, the first advance of each, and when nobody leads") {
  Leadership leadership;
  test::Story story(leadership);
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
        "t_ns,topic,partition,event,leader,leader_epoch,isr,offset,replica\n"
        "1000000,orders,0,leader,1,0,,0,\n"
        "1000000,orders,0,isr,1,0,1;2,,\n"
        "2000000,orders,0,high_watermark,1,0,1;2,1,\n"
        "4000000,orders,0,leader_stopped,,0,1;2,,\n"
        "5000000,orders,0,leader,2,1,1;2,2,\n"
        "7000000,orders,0,high_watermark,2,1,1;2,3,\n"
        "8000000,orders,0,truncated,2,1,1;2,2,1\n");
}

}  // namespace
}  // namespace sim::trace
