// SPDX-License-Identifier: Apache-2.0

extension OpenAPIDocument {
    static let responses = #"""
        "securitySchemes":{"token":{"type":"http","scheme":"bearer","description":"API_TOKEN，设置后才需要 / only where API_TOKEN is set"}},
        "parameters":{"name":{"name":"name","in":"path","required":true,"schema":{"type":"string"},"example":"mlflow_backup_20240730_020000.tar.gz"}},
        "responses":{
          "Problem":{"description":"detail 说明原因和办法 / detail says why and what to do (RFC 9457)",
            "content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
          "Accepted":{"description":"任务已接受 / accepted as a task","headers":{"Location":{"schema":{"type":"string"}}},
            "content":{"application/json":{"schema":{"$ref":"#/components/schemas/Accepted"}}}}}
        """#

    static let schemas = #"""
        "schemas":{
          "Problem":{"type":"object","required":["type","title","status","detail","code"],"properties":{
            "type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},
            "code":{"type":"string","example":"newer-data","description":"不随文字改变 / stays when the words change"},
            "findings":{"type":"array","items":{"type":"string"},"description":"会被覆盖的内容 / what would be overwritten"}}},
          "Message":{"type":"object","required":["message"],"properties":{"message":{"type":"string"}}},
          "Deleted":{"type":"object","required":["message","warnings"],"properties":{"message":{"type":"string"},
            "warnings":{"type":"array","items":{"type":"string"}}}},
          "CleanUp":{"type":"object","required":["message","removed"],"properties":{"message":{"type":"string"},"removed":{"type":"integer"}}},
          "Accepted":{"type":"object","required":["task_id","message","status"],"properties":{
            "task_id":{"type":"string","example":"backup_20240730_143000_12345"},
            "message":{"type":"string","example":"备份任务已启动"},"status":{"type":"string","enum":["pending","running","failed"],"description":"新任务为 pending / pending for a new task"}}},
          "BackupRequest":{"type":"object","additionalProperties":false,"properties":{
            "compress":{"type":"boolean","default":true,"description":"true: tar.gz; false: 目录 / a folder"},
            "email":{"type":"string","format":"email","description":"完成或失败时通知 / told on success and on failure"}}},
          "RestoreRequest":{"type":"object","required":["backup_name"],"additionalProperties":false,"properties":{
            "backup_name":{"type":"string","example":"mlflow_backup_20240730_020000.tar.gz"},
            "mode":{"type":"string","enum":["full","database","artifacts"],"default":"full"},
            "force":{"type":"boolean","default":false,"description":"覆盖比备份更新的数据 / overwrite data newer than the backup"},
            "backup_first":{"type":"boolean","default":true,"description":"强制恢复前先备份当前数据 / a forced restore first backs up what it overwrites"},
            "email":{"type":"string","format":"email"}}},
          "UndoRequest":{"type":"object","additionalProperties":false,"properties":{
            "force":{"type":"boolean","default":false,"description":"覆盖恢复之后写入的数据 / overwrite what was written after the restore"},
            "backup_first":{"type":"boolean","default":true,"description":"强制撤销前先备份当前数据 / a forced undo first backs up what it overwrites"},
            "email":{"type":"string","format":"email"}}},
          "Backup":{"type":"object","required":["name","path","size","created_at","type","status","size_bytes","adopted"],"properties":{
            "name":{"type":"string"},"path":{"type":"string"},"size":{"type":"string","example":"15.2MB"},
            "created_at":{"type":"string","example":"2024-07-30T02:00:00"},
            "type":{"type":"string","enum":["compressed","uncompressed"]},
            "status":{"type":"string","enum":["completed","running","failed","corrupt","unverified","suspicious"]},
            "size_bytes":{"type":"integer"},"sha256":{"type":"string"},"verified_at":{"type":"string"},
            "reason":{"type":"string","description":"为何损坏或可疑 / why it is corrupt or suspicious"},
            "adopted":{"type":"boolean","description":"由人放入，不会被自动清理 / put there by a person, never pruned"},
            "duration_seconds":{"type":"number"},"mlflow_version":{"type":"string"},"alembic_revision":{"type":"string"},
            "experiments":{"type":"integer"},"runs":{"type":"integer"},"registered_models":{"type":"integer"},
            "files":{"type":"integer"},"content_bytes":{"type":"integer"},"skipped":{"type":"integer"}}},
          "Task":{"type":"object","required":["task_id","kind","origin","status","message","created_at"],"properties":{
            "task_id":{"type":"string"},"kind":{"type":"string","enum":["backup","restore","verify","undo","claim","forget"]},
            "origin":{"type":"string","enum":["api","cli","schedule"]},
            "status":{"type":"string","enum":["pending","running","completed","failed"]},
            "message":{"type":"string"},"created_at":{"type":"string"},"started_at":{"type":"string"},
            "completed_at":{"type":"string"},"backup_name":{"type":"string"},
            "result":{"type":"object","properties":{"stdout":{"type":"string"},"backup_dir":{"type":"string"}}},
            "progress":{"type":"object","properties":{"phase":{"type":"string"},"percent":{"type":"integer","minimum":0,"maximum":100}}},
            "error":{"type":"object","required":["code"],"description":"仅失败的任务 / of a failed task only","properties":{
              "code":{"type":"string","example":"newer-data"},"findings":{"type":"array","items":{"type":"string"}}}},
            "warnings":{"type":"integer"},"notice":{"type":"string","description":"邮件是否已发送 / what became of the e-mail"}}},
          "Health":{"type":"object","required":["status"],"properties":{
            "status":{"type":"string","enum":["healthy","unhealthy"]},
            "checks":{"type":"object","additionalProperties":{"type":"boolean"},
              "required":["backup_directory","backup_script","restore_script","docker"]},
            "findings":{"type":"array","items":{"type":"string"}},
            "notices":{"type":"array","items":{"type":"string"},"description":"备份不包含的内容 / what a backup leaves out; no fault"},"version":{"type":"string"},"timestamp":{"type":"string"},
            "looked_at":{"type":"string","description":"检查开始的时间 / when these checks began"},"age_seconds":{"type":"integer"},
            "storage":{"type":"object","properties":{"file_system":{"type":"string"},"shares_blocks":{"type":"boolean"},"advice":{"type":"string"}}}}},
          "Statistics":{"type":"object","required":["backup_count","total_size","disk_usage","task_stats"],"properties":{
            "backup_count":{"type":"integer"},"total_size":{"type":"integer","description":"bytes"},
            "oldest_backup":{"type":"string"},"latest_backup":{"type":"string"},
            "disk_usage":{"type":"object","properties":{"total":{"type":"string"},"used":{"type":"string"},
              "available":{"type":"string"},"use_percentage":{"type":"string"}}},
            "task_stats":{"type":"object","properties":{"total":{"type":"integer"},"pending":{"type":"integer"},
              "running":{"type":"integer"},"completed":{"type":"integer"},"failed":{"type":"integer"}}}}}
        }
        """#
}
