#include "workload/operator.h"

#include <algorithm>
#include <utility>

#include "base/overloaded.h"
#include "client/admin_client.h"
#include "workload/offset_reset.h"

namespace sim::workload {
namespace {

using client::AdminClient;

// kafka-reassign-partitions --generate: from where replicas are to where they shall be.
AlterPartitionReassignmentsRequest reassignment(const MoveReplicas& move, const MetadataResponse& metadata) {
  AlterPartitionReassignmentsRequest request;
  for (const MetadataResponse::Topic& topic : metadata.topics) {
    for (const MetadataResponse::Partition& partition : topic.partitions) {
      const auto has = [&partition](NodeId node) {
        return std::find(partition.replicas.begin(), partition.replicas.end(), node) !=
               partition.replicas.end();
      };
      if (!has(move.from) || has(move.to)) continue;
      std::vector<NodeId> replicas = partition.replicas;
      std::replace(replicas.begin(), replicas.end(), move.from, move.to);
      request.partitions.push_back({{topic.name, partition.index}, std::move(replicas), false});
    }
  }
  return request;
}

class Operator final : public node::Node {
 public:
  explicit Operator(const OperatorBoot& boot)
      : fault_(boot.fault), action_(boot.action), admin_(client::AdminConfig{}, boot.self, boot.bootstrap) {}

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<Operator>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) {
      begin(env, out);
    } else if (std::holds_alternative<node::StopRequested>(input)) {
      out.emplace_back(node::Exit{});
    } else {
      admin_.step(input, env, out);
      if (const auto outcome = admin_.take_outcome()) go_on(*outcome, env, out);
    }
  }

 private:
  void begin(node::Env env, node::Effects& out) {
    std::visit(Overloaded{
                   [&](const AdminRequest& request) { ask(request, env, out); },
                   [&](const MoveReplicas&) {
                     MetadataRequest all;
                     all.all_topics = true;
                     admin_.call(std::move(all), AdminClient::LeastLoaded{}, env, out);
                   },
                   [&](const ResetOffsets& reset) {
                     reset_.emplace(reset);
                     ask(reset_->begin(env), env, out);
                   },
               },
               action_);
  }

  void ask(AdminRequest request, node::Env env, node::Effects& out) {
    const bool of_any_node = std::holds_alternative<IncrementalAlterConfigsRequest>(request);
    const auto whom = of_any_node ? AdminClient::Whom(AdminClient::LeastLoaded{}) : AdminClient::Controller{};
    admin_.call(message_of(std::move(request)), whom, env, out);
  }
  void ask(OffsetReset::Call&& call, node::Env env, node::Effects& out) {
    admin_.call(std::move(call.request), std::move(call.whom), env, out, call.wait);
  }

  void go_on(const AdminClient::Outcome& outcome, node::Env env, node::Effects& out) {
    if (const auto* error = std::get_if<ErrorCode>(&outcome)) {
      tell({"", *error}, out);
    } else if (reset_) {
      if (auto call = reset_->answered(std::get<Message>(outcome), env))
        return ask(std::move(*call), env, out);
      for (const AdminResult& result : reset_->results()) tell(result, out);
      const ResetOffsets& wanted = reset_->wanted();
      if (reset_->is_done()) node::report(out, observe::OffsetsReset{fault_, wanted.group, wanted.topic});
    } else if (const auto* metadata = std::get_if<MetadataResponse>(&std::get<Message>(outcome))) {
      AlterPartitionReassignmentsRequest request = reassignment(std::get<MoveReplicas>(action_), *metadata);
      if (!request.partitions.empty()) return ask(std::move(request), env, out);
    } else {
      for (AdminResult& result : results_of(std::get<Message>(outcome))) tell(std::move(result), out);
    }
    out.emplace_back(node::Exit{});
  }

  void tell(AdminResult result, node::Effects& out) const {
    node::report(out, observe::AdminAnswered{fault_, std::move(result.resource), result.error});
  }

  FaultId fault_;
  AdminAction action_;
  AdminClient admin_;
  std::optional<OffsetReset> reset_;
};

}  // namespace

std::unique_ptr<node::Node> boot_operator(const OperatorBoot& boot) {
  return std::make_unique<Operator>(boot);
}

}  // namespace sim::workload
