#include "coordinator/errors.h"

namespace sim::coordinator {

ErrorCode told_to_client(ErrorCode error) {
  switch (error) {
    // Of the verification of a transaction: this lets an older client try again without a look-up.
    case ErrorCode::network_exception: return ErrorCode::coordinator_load_in_progress;
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::request_timed_out: return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error: return ErrorCode::not_coordinator;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::invalid_fetch_size: return ErrorCode::unknown_server_error;
    default: return error;
  }
}

}  // namespace sim::coordinator
