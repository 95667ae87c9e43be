export interface Volume {
  Name: string;
  Driver: string;
  Mountpoint: string;
  CreatedAt: string;
  Status: Record<string, Record<string, unknown>>;
  Labels: Record<string, string>;
  Scope: "local" | "global";
  Options: Record<string, string>;
  UsageData?: {
    Size: number;
    RefCount: number;
  };
}

export interface VolumeCreateOptions {
  Name: string;
  Driver: string;
  DriverOpts: Record<string, string>;
  Labels: Record<string, string>;
}

export interface VolumeListResponse {
  Volumes: Volume[];
  Warnings: string[];
}
