#include "cluster/shared_server.h"

#include <utility>
#include <variant>

#include "base/check.h"

namespace sim::cluster {
namespace {

constexpr std::uint32_t kMetadataDirectory = 1;  // in masks of directories

const log::LogImage* metadata_log(const node::DurableImage& image) {
  const auto it = image.logs.find(kClusterMetadata);
  return it == image.logs.end() ? nullptr : &it->second;
}

}  // namespace

SharedServer::SharedServer(const ServerBoot& boot, const node::DurableImage& image)
    : self_(boot.quorum.process),
      lacks_metadata_directory_((image.failed_directories & kMetadataDirectory) != 0),
      replica_(boot.quorum, metadata_log(image)),
      snapshots_(boot.snapshots) {
  if (boot.controller) {
    const controller::ControllerBoot& controller = *boot.controller;
    controller_.emplace(controller);
    registration_.emplace(
        server::ControllerRegistration::Identity{controller.self, controller.id, controller.incarnation});
  }
  if (boot.broker) broker_.emplace(*boot.broker, image);
}

void SharedServer::step(node::Input& input, node::Env env, node::Effects& out) {
  if (has_lost_metadata_directory(input)) {
    out.emplace_back(node::Exit{});
    return;
  }
  const Step step{env, out};
  if (std::holds_alternative<node::Started>(input)) {
    start(step);
  } else if (std::holds_alternative<node::StopRequested>(input)) {
    stop(step);
  } else {
    node::for_each_part(input, self_, [&](node::Part part) { route(part, input, step); });
  }
  wind_up(step);
}

// Without the directory of the metadata log, which is the first of log.dirs too, a server halts
// (LogDirFailureHandler, Exit.halt); nor does it start.
bool SharedServer::has_lost_metadata_directory(const node::Input& input) const {
  if (std::holds_alternative<node::Started>(input)) return lacks_metadata_directory_;
  const auto* done = std::get_if<node::Persisted>(&input);
  return done != nullptr && (done->failed_directories & kMetadataDirectory) != 0;
}

void SharedServer::route(node::Part part, node::Input& input, const Step& step) {
  switch (part) {
    case node::Part::raft: return handle(replica_.step(input, step.env, step.out), step);
    case node::Part::controller:
      SIM_CHECK(controller_.has_value(), "only controllers are asked what is a controller's");
      return controller_->step(input, context(step));
    case node::Part::controller_registration: return registration_->step(input, step.env, step.out);
    case node::Part::broker:
    case node::Part::lifecycle:
    case node::Part::forwarding:
    case node::Part::replica_manager:
    case node::Part::alter_partition:
    case node::Part::directory_assignments:
    case node::Part::fetchers:
    case node::Part::group_coordinator:
    case node::Part::transaction_coordinator:
    case node::Part::transaction_markers:
    case node::Part::add_partitions_to_txn: return step_broker(part, input, step);
    case node::Part::application:
    case node::Part::client: SIM_CHECK(false, "a server is no application");
  }
}

void SharedServer::step_broker(node::Part part, node::Input& input, const Step& step) {
  SIM_CHECK(broker_.has_value(), "only brokers are asked what is a broker's");
  const bool was_loading = broker_->is_loading();
  broker_->step(part, input, step.env, step.out);
  if (was_loading && !broker_->is_loading()) report_replayed(step);
}

// ---- Life

void SharedServer::start(const Step& step) {
  snapshots_.start(step.env.now);
  if (broker_) broker_->start(step.env, step.out);
  handle(replica_.start(step.env, step.out), step);
}

void SharedServer::stop(const Step& step) {
  if (registration_) registration_->close(step.env, step.out);
  if (broker_) {
    broker_->stop(step.env, step.out);
  } else {
    leaves_quorum_ = true;
    replica_.shut_down(step.env, step.out);
  }
}

void SharedServer::wind_up(const Step& step) {
  if (!broker_ || !broker_->has_stopped() || leaves_quorum_) return;
  leaves_quorum_ = true;
  replica_.shut_down(step.env, step.out);
}

// ---- From the replica

void SharedServer::handle(raft::Replica::Events events, const Step& step) {
  for (raft::Replica::Event& event : events) {
    std::visit([&](auto& one) { on(one, step); }, event);
  }
}

void SharedServer::on(raft::Replica::Committed& event, const Step& step) {
  if (controller_) {
    controller_->replay(event.batches, context(step));
    registration_->replayed(controller_->committed_image(), step.env, step.out);
  }
  if (broker_) {
    broker_->replay(event.batches, step.env, step.out);
    report_replayed(step);
  }
  snapshots_.replayed(event.batches);
  maybe_write_snapshot(step);
}

void SharedServer::on(raft::Replica::SnapshotLoaded& event, const Step& step) {
  if (controller_) {
    controller_->load(*event.snapshot, context(step));
    registration_->replayed(controller_->committed_image(), step.env, step.out);
  }
  if (broker_) {
    broker_->load(*event.snapshot, step.env, step.out);
    report_replayed(step);
  }
  snapshots_.loaded(*event.snapshot, step.env.now);
}

void SharedServer::on(raft::Replica::LeaderChanged& event, const Step& step) {
  if (registration_) registration_->set_controller(event.endpoint, step.env, step.out);
  if (broker_) broker_->set_controller(event.endpoint, step.env, step.out);
}

void SharedServer::on(raft::Replica::LeadershipWon& event, const Step& step) {
  if (controller_) controller_->claim(event.quorum_epoch, context(step));
}

void SharedServer::on(raft::Replica::LeadershipLost&, const Step& step) {
  if (controller_) controller_->renounce(context(step));
}

void SharedServer::on(raft::Replica::ShutDown&, const Step& step) {
  step.out.emplace_back(node::Exit{});
}

void SharedServer::on(raft::Replica::Failed&, const Step& step) {
  step.out.emplace_back(node::Exit{});
}

// ---- What was replayed

void SharedServer::report_replayed(const Step& step) const {
  const metadata::MetadataImage& image = broker_->image();
  node::report(step.out, observe::MetadataReplayed{broker_->id(), image.end_offset(), image.digest()});
}

// Not while the log has a voter set above the image: that is no part of it yet.
void SharedServer::maybe_write_snapshot(const Step& step) {
  if (!snapshots_.is_due(step.env.now) || (broker_ && broker_->is_loading())) return;
  const metadata::MetadataImage& image = controller_ ? controller_->committed_image() : broker_->image();
  const Offset voters_end = replica_.log().voters_offset();
  if (voters_end > image.end_offset()) return;
  VotersRecord voters;
  if (voters_end > 0) voters.voters = replica_.voters().all();
  replica_.take_snapshot(snapshots_.take(image, std::move(voters), step.env.now), step.env, step.out);
}

}  // namespace sim::cluster
