// One order as a mermaid sequence diagram.
#include <algorithm>
#include <string>
#include <vector>

#include "base/human.h"
#include "report/export.h"

namespace sim::report {
namespace {

// Texts of a mermaid diagram know no escapes for these two.
std::string plain(std::string text) {
  for (char& c : text) {
    if (c == ';' || c == '#' || c == '\n') c = ' ';
  }
  return text;
}

class OrderDiagram {
 public:
  OrderDiagram(const OrderRow& order, const std::vector<std::int64_t>& commits)
      : order_(order), commits_(commits) {}

  std::string draw() {
    tell_producing();
    tell_broker();
    for (std::size_t s = 0; s < order_.services.size(); ++s) tell_service(s);
    tell_outcome();
    std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
    std::string text = participants();
    for (const Step& step : steps_) text += "    " + step.line + "\n";
    return text;
  }

 private:
  struct Step {
    std::int64_t at;
    std::string line;
  };

  std::string partition() const { return order_.topic + "-" + std::to_string(order_.partition); }
  std::string offset() const { return std::to_string(order_.offset); }
  std::string age(std::int64_t at) const { return "+" + human_duration(at - order_.intended); }

  void arrow(std::int64_t at, const char* from_to, const std::string& text) {
    if (at >= 0) steps_.push_back(Step{at, from_to + (": " + age(at) + " " + plain(text))});
  }
  void note(std::int64_t at, const std::string& over, const std::string& text) {
    if (at >= 0) steps_.push_back(Step{at, "Note over " + over + ": " + age(at) + " " + plain(text)});
  }

  bool has_followers() const { return order_.isr.find(';') != std::string::npos; }

  // "broker-1, broker-3", those in sync besides the leader, named as the leader is.
  std::string followers() const {
    const std::size_t dash = order_.leader.rfind('-');
    std::string text;
    std::string rest = order_.isr + ";";
    for (std::size_t end = rest.find(';'); end != std::string::npos;
         rest.erase(0, end + 1), end = rest.find(';')) {
      const std::string broker = order_.leader.substr(0, dash + 1) + rest.substr(0, end);
      if (broker != order_.leader) text += (text.empty() ? "" : ", ") + broker;
    }
    return text;
  }

  std::string participants() const {
    std::string text = "sequenceDiagram\n    title Order " + std::to_string(order_.number) + " of " +
                       plain(order_.flow) + ": " + order_.outcome + " after " +
                       human_duration(order_.ended - order_.intended) + "\n";
    text += "    actor customer as customer\n    participant producer as " + plain(order_.flow) + "\n";
    if (order_.appended >= 0) {
      text += "    participant leader as " + order_.leader + "<br/>leader\n";
      if (has_followers()) text += "    participant followers as " + followers() + "<br/>followers\n";
      text += "    participant log as " + plain(partition()) + "<br/>offset " + offset() + "\n";
    }
    bool commits = false;
    for (std::size_t s = 0; s < order_.services.size(); ++s) {
      const OrderRow::Service& service = order_.services[s];
      if (service.fetched < 0 && service.committed < 0) continue;
      text += "    participant service" + std::to_string(s) + " as " + plain(service.name);
      text += service.member >= 0 ? "[" + std::to_string(service.member) + "]\n" : "\n";
      commits = commits || service.committed >= 0;
    }
    if (commits) text += "    participant coordinator as group coordinator<br/>__consumer_offsets\n";
    return text;
  }

  void tell_producing() {
    std::string what = "order " + std::to_string(order_.number) + ", " + human_bytes(order_.value_bytes);
    const bool is_number = order_.key.find_first_not_of("0123456789") == std::string::npos;
    what += order_.key.empty() ? ", no key" : std::string(", key ") + (is_number ? "user-" : "") + order_.key;
    what += ", placed at " + fixed(order_.intended / 1'000, 6) + " s";
    arrow(order_.intended, "customer->>producer", what);
    note(order_.accepted, "producer", "send() has put it into a batch");
    const std::string batch = order_.batch_records == 1
                                  ? "a batch of this order alone"
                                  : "a batch of " + std::to_string(order_.batch_records) + " orders";
    if (order_.retries > 0) {
      note(order_.batched, "producer", "first attempt to send " + batch);
      arrow(order_.sent, order_.appended >= 0 ? "producer->>leader" : "producer->>producer",
            "ProduceRequest, after " + std::to_string(order_.retries) +
                (order_.retries == 1 ? " retry" : " retries"));
    } else {
      arrow(order_.sent, order_.appended >= 0 ? "producer->>leader" : "producer->>producer",
            "ProduceRequest with " + batch);
    }
  }

  void tell_broker() {
    if (order_.appended < 0) return;
    if (order_.dequeued >= 0) {
      note(order_.dequeued, "leader",
           "an I/O thread takes it, " +
               human_duration(order_.dequeued - std::max(order_.received, order_.sent)) +
               " after it arrived");
    }
    arrow(order_.appended, "leader->>log", "append at offset " + offset());
    if (has_followers()) {
      arrow(order_.high_watermark, "followers->>leader",
            "fetched past it: high watermark is now beyond " + offset());
    } else {
      note(order_.high_watermark, "log", "high watermark is now beyond " + offset());
    }
    if (order_.acknowledged >= 0) {
      arrow(order_.acknowledged, "leader-->>producer",
            "acknowledged: " + partition() + " offset " + offset());
    }
  }

  void tell_service(std::size_t s) {
    const OrderRow::Service& service = order_.services[s];
    const std::string name = "service" + std::to_string(s);
    if (order_.appended >= 0)
      arrow(service.fetched, ("log->>" + name).c_str(), "poll() returns offset " + offset());
    if (service.done >= 0) {
      const std::int64_t started = service.started >= 0 ? service.started : service.done;
      note(service.done, name, "done, after " + human_duration(service.done - started) + " of work");
    } else {
      note(service.started, name, "work begins");
    }
    if (service.times > 1)
      note(service.done, name, "and done again: " + std::to_string(service.times) + " times in all");
    if (service.committed < 0) return;
    const std::int64_t next = std::max(commits_[s], order_.offset + 1);
    steps_.push_back(
        Step{service.committed, name + "->>coordinator: commit " + plain(partition()) + " = " +
                                    std::to_string(next) +
                                    ", the NEXT offset to read (Kafka never commits the last one read)"});
    arrow(service.committed, ("coordinator-->>" + name).c_str(),
          "committed: " + service.name + " will go on at " + std::to_string(next));
    if (service.done < 0) note(service.committed, name, "committed, but not done");
  }

  void tell_outcome() {
    if (order_.failed >= 0) {
      arrow(order_.failed, "producer--xcustomer", "failed: " + order_.error);
    } else if (order_.acknowledged >= 0) {
      arrow(order_.acknowledged, "producer-->>customer", "your order is placed");
    }
    if (order_.outcome == "fulfilled") {
      note(order_.ended, "customer", "every service has done it");
    } else if (order_.outcome == "lost") {
      note(order_.ended, "customer", "lost: some service can no longer do it");
    } else if (order_.outcome == "open") {
      note(order_.ended, "customer", "the run ended here");
    }
  }

  const OrderRow& order_;
  const std::vector<std::int64_t>& commits_;
  std::vector<Step> steps_;
};

}  // namespace

std::string mermaid_of_order(const OrderRow& order, const std::vector<std::int64_t>& commits) {
  return OrderDiagram(order, commits).draw();
}

}  // namespace sim::report
