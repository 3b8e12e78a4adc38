// SPDX-License-Identifier: Apache-2.0

/// The OpenAPI 3.1 description of the API. `/docs` is drawn from it, and a test compares it with the routes.
enum OpenAPIDocument {
    static func json(version: String) -> [UInt8] {
        Array("{\(head(version)),\"paths\":{\(paths)},\"components\":{\(responses),\(schemas)}}\n".utf8)
    }

    private static func head(_ version: String) -> String {
        #"""
        "openapi":"3.1.0",
        "info":{"title":"MLflow 备份服务 / MLflow backup service","version":"\#(version)",
          "description":"消息默认为中文；发送 Accept-Language: en 得到英文。 Messages are Chinese by default; send Accept-Language: en for English.",
          "license":{"name":"Apache-2.0","identifier":"Apache-2.0"}},
        "servers":[{"url":"/"}],
        "security":[{},{"token":[]}]
        """#
    }

    private static let paths = #"""
        "/health":{"get":{"operationId":"health","tags":["status"],"security":[{}],
          "summary":"健康检查 / Health check",
          "responses":{"200":{"description":"healthy","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}},
            "503":{"description":"unhealthy","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}}}}},
        "/stats":{"get":{"operationId":"stats","tags":["status"],
          "summary":"备份统计 / Statistics",
          "responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Statistics"}}}},
            "401":{"$ref":"#/components/responses/Problem"}}}},
        "/backups":{
          "get":{"operationId":"listBackups","tags":["backups"],
            "summary":"获取备份列表，最新的在前 / List backups, newest first",
            "responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Backup"}}}}},
              "401":{"$ref":"#/components/responses/Problem"},"503":{"$ref":"#/components/responses/Problem"}}},
          "post":{"operationId":"createBackup","tags":["backups"],
            "summary":"创建备份；请求体可为空 / Make a backup; the body may be empty",
            "requestBody":{"required":false,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/BackupRequest"}}}},
            "responses":{"202":{"$ref":"#/components/responses/Accepted"},"400":{"$ref":"#/components/responses/Problem"},
              "401":{"$ref":"#/components/responses/Problem"},"409":{"$ref":"#/components/responses/Problem"},
              "413":{"$ref":"#/components/responses/Problem"},"415":{"$ref":"#/components/responses/Problem"},
              "422":{"$ref":"#/components/responses/Problem"},"503":{"$ref":"#/components/responses/Problem"},
              "507":{"$ref":"#/components/responses/Problem"}}}},
        "/backups/{name}/verify":{"parameters":[{"$ref":"#/components/parameters/name"}],
          "post":{"operationId":"verifyBackup","tags":["backups"],
            "summary":"校验备份的每一个字节 / Check every byte of a backup",
            "responses":{"202":{"$ref":"#/components/responses/Accepted"},"401":{"$ref":"#/components/responses/Problem"},
              "404":{"$ref":"#/components/responses/Problem"},"409":{"$ref":"#/components/responses/Problem"}}}},
        "/backups/{name}/accept":{"parameters":[{"$ref":"#/components/parameters/name"}],
          "post":{"operationId":"acceptBackup","tags":["backups"],
            "summary":"接受可疑的备份，此后它计入保留策略 / Accept a suspicious backup: it counts from then on",
            "responses":{"200":{"description":"accepted","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Message"}}}},
              "401":{"$ref":"#/components/responses/Problem"},
              "404":{"$ref":"#/components/responses/Problem"},"409":{"$ref":"#/components/responses/Problem"}}}},
        "/backups/{name}/download":{"parameters":[{"$ref":"#/components/parameters/name"}],
          "get":{"operationId":"downloadBackup","tags":["backups"],
            "summary":"下载备份；支持 Range 和 If-Range / Download; Range and If-Range are honoured",
            "parameters":[{"name":"Range","in":"header","required":false,"schema":{"type":"string"},"example":"bytes=1000-"},
              {"name":"If-Range","in":"header","required":false,"schema":{"type":"string"}}],
            "responses":{"200":{"description":"the file","headers":{"ETag":{"description":"its SHA-256","schema":{"type":"string"}},
                "Content-Length":{"schema":{"type":"integer"}}},"content":{"application/gzip":{}}},
              "206":{"description":"a part of it","content":{"application/gzip":{}}},"304":{"description":"not modified"},
              "401":{"$ref":"#/components/responses/Problem"},"404":{"$ref":"#/components/responses/Problem"},
              "409":{"$ref":"#/components/responses/Problem"},"416":{"description":"no such range"}}}},
        "/backups/{name}":{"parameters":[{"$ref":"#/components/parameters/name"}],
          "delete":{"operationId":"deleteBackup","tags":["backups"],
            "summary":"删除备份 / Delete a backup",
            "responses":{"200":{"description":"deleted","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Message"}}}},
              "401":{"$ref":"#/components/responses/Problem"},"404":{"$ref":"#/components/responses/Problem"},
              "409":{"$ref":"#/components/responses/Problem"}}}},
        "/restore":{"post":{"operationId":"restore","tags":["restore"],
          "summary":"恢复备份；不会覆盖更新的数据，除非 force / Restore; newer data is kept unless force is set",
          "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/RestoreRequest"}}}},
          "responses":{"202":{"$ref":"#/components/responses/Accepted"},"400":{"$ref":"#/components/responses/Problem"},
            "401":{"$ref":"#/components/responses/Problem"},"404":{"$ref":"#/components/responses/Problem"},
            "409":{"$ref":"#/components/responses/Problem"},"413":{"$ref":"#/components/responses/Problem"},
            "415":{"$ref":"#/components/responses/Problem"},"422":{"$ref":"#/components/responses/Problem"},
            "503":{"$ref":"#/components/responses/Problem"},"507":{"$ref":"#/components/responses/Problem"}}}},
        "/tasks":{"get":{"operationId":"listTasks","tags":["tasks"],
          "summary":"获取任务列表 / List tasks",
          "parameters":[{"name":"status","in":"query","required":false,"schema":{"type":"string","enum":["pending","running","completed","failed"]}}],
          "responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Task"}}}}},
            "401":{"$ref":"#/components/responses/Problem"},"422":{"$ref":"#/components/responses/Problem"}}}},
        "/tasks/{id}":{"get":{"operationId":"getTask","tags":["tasks"],
          "summary":"获取任务状态 / Show a task",
          "parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"},"example":"backup_20240730_143000_12345"}],
          "responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Task"}}}},
            "401":{"$ref":"#/components/responses/Problem"},"404":{"$ref":"#/components/responses/Problem"}}}},
        "/cleanup":{"post":{"operationId":"cleanup","tags":["tasks"],
          "summary":"清理 24 小时前结束的任务记录 / Drop records of tasks that ended more than 24 hours ago",
          "responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"$ref":"#/components/schemas/CleanUp"}}}},
            "401":{"$ref":"#/components/responses/Problem"}}}}
        """#
}
