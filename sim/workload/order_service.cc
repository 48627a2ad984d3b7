#include "workload/order_service.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "client/producer.h"
#include "observe/names.h"
#include "workload/arrivals.h"

namespace sim::workload {

namespace {

using client::Producer;

constexpr node::TimerId kArrivalTimer{node::Part::application, 0};

// A recorded key, or "user-<number>", without touching the heap.
class Key {
 public:
  Key(std::int64_t number, const std::vector<std::string>* recorded) {
    if (number >= observe::kFirstRecordedKey) {
      recorded_ = (*recorded)[static_cast<std::size_t>(number - observe::kFirstRecordedKey)];
      return;
    }
    std::copy(kPrefix.begin(), kPrefix.end(), text_.begin());
    const auto end = std::to_chars(text_.data() + kPrefix.size(), text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }
  std::string_view view() const {
    return recorded_.empty() ? std::string_view{text_.data(), size_} : recorded_;
  }

 private:
  static constexpr std::string_view kPrefix = "user-";
  std::string_view recorded_{};
  std::array<char, 32> text_{};
  std::size_t size_ = 0;
};

struct Order {
  RecordId record;
  std::int64_t intended_ns = 0;
  std::int64_t key = -1;
  std::int32_t value_bytes = 0;
};

// Orders one after the other: when, for whom, how large.
class OrderSource {
 public:
  explicit OrderSource(const OrderServiceBoot& boot)
      : flow_(boot.flow),
        spec_(boot.spec),
        arrivals_(boot.spec.arrivals, boot.rng.child("arrivals")),
        keys_(boot.rng.child("keys")),
        sizes_(boot.rng.child("sizes")),
        load_ends_ns_(nanos(boot.load_ends_at)) {}

  std::optional<Order> next() {
    if (spec_.max_orders >= 0 && number_ >= spec_.max_orders) return std::nullopt;
    const auto arrival = arrivals_.next();
    if (!arrival || *arrival >= load_ends_ns_ - nanos(spec_.start_at)) return std::nullopt;
    Order order{record_id(flow_, number_), nanos(spec_.start_at) + *arrival};
    if (const auto* trace = std::get_if<TraceArrivals>(&spec_.arrivals)) {
      const TraceOrder& recorded = (*trace->orders)[static_cast<std::size_t>(number_)];
      order.key = recorded.key;
      order.value_bytes = recorded.value_bytes;
    } else {
      if (spec_.keyed) order.key = spec_.key.sample(keys_);
      const std::int64_t bytes = spec_.record_bytes.sample(sizes_);
      order.value_bytes = static_cast<std::int32_t>(std::clamp<std::int64_t>(bytes, 0, kMostValueBytes));
    }
    ++number_;
    return order;
  }

 private:
  FlowId flow_;
  FlowSpec spec_;
  ArrivalProcess arrivals_;
  Rng keys_;
  Rng sizes_;
  std::int64_t load_ends_ns_;
  std::int64_t number_ = 0;
};

std::shared_ptr<const std::vector<std::string>> keys_of(const FlowSpec& spec) {
  const auto* trace = std::get_if<TraceArrivals>(&spec.arrivals);
  return trace == nullptr ? nullptr : trace->keys;
}

class OrderService final : public node::Node {
 public:
  explicit OrderService(const OrderServiceBoot& boot)
      : flow_(boot.flow),
        source_(boot),
        recorded_keys_(keys_of(boot.spec)),
        producer_(boot.self, boot.bootstrap, boot.spec.producer),
        topic_(producer_.add_topic(boot.spec.topic)) {}

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<OrderService>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) {
      start(env, out);
    } else if (const auto* fired = std::get_if<node::TimerFired>(&input);
               fired != nullptr && fired->timer == kArrivalTimer) {
      place_due_orders(env, out);
    } else if (std::holds_alternative<node::StopRequested>(input)) {
      next_.reset();
      stopping_ = true;
      out.emplace_back(node::CancelTimer{kArrivalTimer});
    } else {
      producer_.step(input, env, out, events_);
    }
    do {
      const bool returned = take_events();
      if (returned) send_waiting(env, out);
      if (stopping_ && waiting_.empty() && !producer_.blocked()) producer_.close();
      producer_.poll(env, out, events_);
    } while (!events_.empty());
    if (stopping_ && producer_.closed()) out.emplace_back(node::Exit{});
  }

 private:
  // A service that starts again finds the clicks of the meantime lost: nobody answered them.
  void start(node::Env env, node::Effects& out) {
    next_ = source_.next();
    while (next_ && next_->intended_ns < nanos(env.now)) next_ = source_.next();
    arm(out);
  }

  void place_due_orders(node::Env env, node::Effects& out) {
    while (next_ && next_->intended_ns <= nanos(env.now)) {
      place(*next_, env, out);
      next_ = source_.next();
    }
    arm(out);
  }

  void arm(node::Effects& out) {
    if (next_) out.emplace_back(node::SetTimer{kArrivalTimer, local_at(next_->intended_ns)});
  }

  void place(const Order& order, node::Env env, node::Effects& out) {
    const std::int32_t key_bytes =
        order.key < 0 ? -1 : static_cast<std::int32_t>(Key(order.key, recorded_keys_.get()).view().size());
    node::report(out, observe::OrderPlaced{order.record, flow_, order.intended_ns, order.key, key_bytes,
                                           order.value_bytes});
    if (producer_.blocked()) {
      waiting_.push_back(order);
    } else {
      send(order, env, out);
    }
  }

  void send(const Order& order, node::Env env, node::Effects& out) {
    client::ProducerRecord record{order.record, std::nullopt, order.value_bytes, order.key};
    const Key key(order.key, recorded_keys_.get());
    if (order.key >= 0) record.key = key.view();
    producer_.send(topic_, record, env, out);
  }

  void send_waiting(node::Env env, node::Effects& out) {
    while (!waiting_.empty() && !producer_.blocked()) {
      send(waiting_.front(), env, out);
      waiting_.pop_front();
    }
  }

  // True if the blocked send returned. What became of batches the producer has told in facts.
  bool take_events() {
    const bool returned = std::any_of(events_.begin(), events_.end(), [](const Producer::Event& event) {
      return std::holds_alternative<Producer::SendReturned>(event);
    });
    events_.clear();
    return returned;
  }

  FlowId flow_;
  OrderSource source_;
  std::shared_ptr<const std::vector<std::string>> recorded_keys_;  // of a trace; null without one
  Producer producer_;
  Producer::TopicNumber topic_;
  std::optional<Order> next_;
  std::deque<Order> waiting_;  // placed while a send is blocked, in order
  Producer::Events events_;    // of the step
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<node::Node> boot_order_service(const OrderServiceBoot& boot) {
  return std::make_unique<OrderService>(boot);
}

}  // namespace sim::workload
