// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <microhttpd.h>

// What Swift cannot import from microhttpd.h: varargs and macros that are casts.

/// Everything our server asks of a daemon, typed; the varargs call below spells it out.
struct mhd_setup {
    unsigned int connection_limit;
    size_t connection_memory;
    size_t thread_stack;
    MHD_AccessHandlerCallback on_access;
    void *(*on_uri)(void *context, const char *uri, struct MHD_Connection *connection);
    MHD_RequestCompletedCallback on_completed;
    MHD_NotifyConnectionCallback on_connection;
    MHD_LogCallback on_log;
    void *context;
};

/// A daemon that is given its connections (`MHD_add_connection`) and serves each on a thread of its own. NULL when it
/// could not start.
static inline struct MHD_Daemon *mhd_start(const struct mhd_setup *setup)
{
    // poll and not select, which takes no descriptors above FD_SETSIZE (1024). What speaks against poll in 0.9.75, that
    // it accepts and resets connections over the limit and spins before a timeout, is of no account: it accepts none
    // here, and has no timeouts.
    return MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC
            | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG,
        0, NULL, NULL, setup->on_access, setup->context,
        MHD_OPTION_EXTERNAL_LOGGER, setup->on_log, setup->context, // first, so that start-up messages reach it
        MHD_OPTION_CONNECTION_LIMIT, setup->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, setup->connection_memory,
        MHD_OPTION_THREAD_STACK_SIZE, setup->thread_stack,
        MHD_OPTION_URI_LOG_CALLBACK, setup->on_uri, setup->context,
        MHD_OPTION_NOTIFY_COMPLETED, setup->on_completed, setup->context,
        MHD_OPTION_NOTIFY_CONNECTION, setup->on_connection, setup->context,
        MHD_OPTION_END);
}

/// The connection's socket, or -1.
static inline int mhd_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

/// Bytes from the method to the end of the head, the empty line included; 0 where they are not known.
static inline size_t mhd_head_size(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

/// What `on_connection` put beside the connection when it began, or NULL.
static inline void *mhd_connection_state(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static const uint64_t mhd_size_unknown = MHD_SIZE_UNKNOWN;
static const ssize_t mhd_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t mhd_end_with_error = MHD_CONTENT_READER_END_WITH_ERROR;
